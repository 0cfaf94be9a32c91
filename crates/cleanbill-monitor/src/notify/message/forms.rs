//! How values of other crates are written in a message.

/// Times as RFC 3339.
pub(super) mod rfc3339 {
    use jiff::Timestamp;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error};

    pub(in crate::notify::message) fn serialize<S: Serializer>(
        time: &Timestamp,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_str(time)
    }

    pub(in crate::notify::message) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// Times that may be absent.
pub(super) mod rfc3339_option {
    use jiff::Timestamp;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error};

    pub(in crate::notify::message) fn serialize<S: Serializer>(
        time: &Option<Timestamp>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => to.collect_str(time),
            None => to.serialize_none(),
        }
    }

    pub(in crate::notify::message) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        text.map(|text| text.parse().map_err(D::Error::custom))
            .transpose()
    }
}

/// Severities by the names that reports print.
pub(super) mod severity_name {
    use cleanbill_core::Severity;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error};

    pub(in crate::notify::message) fn serialize<S: Serializer>(
        severity: &Severity,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.serialize_str(severity.name())
    }

    pub(in crate::notify::message) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Severity, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(D::Error::custom)
    }
}

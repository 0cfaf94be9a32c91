//! JSON from images, read as leniently as Go's decoder reads it.

use std::borrow::Cow;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error as _};

/// Decodes the JSON object that a file begins with; what follows it is ignored. Bytes that are not
/// UTF-8 are replaced.
///
/// # Errors
///
/// The text is malformed or nested too deeply, or has other types than wanted.
pub(crate) fn first_object<T: DeserializeOwned>(bytes: &[u8]) -> serde_json::Result<T> {
    let text: Cow<'_, str> = String::from_utf8_lossy(bytes);
    // Serde takes an array for a struct too.
    if text
        .trim_start_matches([' ', '\t', '\r', '\n'])
        .starts_with('[')
    {
        return Err(serde_json::Error::custom("it is an array, not an object"));
    }
    T::deserialize(&mut serde_json::Deserializer::from_str(&text))
}

/// Takes `null` for the default.
pub(crate) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

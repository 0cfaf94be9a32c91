//! Which format a document has.
//!
//! Source: spec 04 section 1.11 for the formats and their order; in-toto attestations and
//! Sigstore bundles 0.3 for what may be around a document.

use std::io::BufRead as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use cleanbill_core::Limits;
use serde::Deserialize;

use super::bom::Bom;
use super::error::SbomError;
use super::{Origin, SbomFormat, cyclonedx, spdx};
use crate::json::{Field, FieldKind, JsonError, PartSizes, Parts};
use crate::kept::Kept;

const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
const BUNDLE_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const PREDICATES_CYCLONEDX: [&str; 2] =
    ["https://cyclonedx.org/bom", "https://cyclonedx.org/schema"];
const PREDICATE_SPDX: &str = "https://spdx.dev/Document";

const fn whole(name: &'static str) -> Field {
    Field {
        name,
        kind: FieldKind::Whole,
    }
}

const fn items(name: &'static str) -> Field {
    Field {
        name,
        kind: FieldKind::Items,
    }
}

/// The members of documents of all formats. Those of one say nothing in another.
const FIELDS: &[Field] = &[
    whole("bomFormat"),
    whole("specVersion"),
    whole("metadata"),
    items("components"),
    items("dependencies"),
    whole("SPDXID"),
    whole("spdxVersion"),
    whole("creationInfo"),
    items("packages"),
    items("files"),
    items("relationships"),
    items("documentDescribes"),
    whole("mediaType"),
    whole("dsseEnvelope"),
    whole("payloadType"),
    whole("payload"),
    whole("predicateType"),
    whole("predicate"),
];

/// What the first versions of Cosign put around a document.
const COSIGN_FIELDS: &[Field] = &[whole("Data")];

/// Reads a document of any format.
///
/// # Errors
///
/// The format is unknown or not supported, or the document is malformed.
pub(super) fn read(
    text: &Kept<'_>,
    origin: Origin,
    limits: &Limits,
) -> Result<(SbomFormat, Bom), SbomError> {
    let context = Context { origin, limits };
    let mut reader = text.reader();
    // What decides stands at the beginning.
    let begin = reader.fill_buf().unwrap_or_default();
    match begin.trim_ascii_start().first() {
        Some(b'{') => context.json(text),
        Some(b'<' | b'\xef') if text.contains(b"http://cyclonedx.org") => match origin {
            Origin::User => {
                let bom = cyclonedx::read_xml(text.as_plain().unwrap_or_default(), limits)?;
                Ok((SbomFormat::CycloneDx, bom))
            }
            Origin::Image => Err(SbomError::UnsupportedXml),
        },
        _ if begin.starts_with(b"SPDX") => {
            let bom = spdx::read_tag_value(text, context.sizes().part_bytes_max, limits)?;
            Ok((SbomFormat::Spdx, bom))
        }
        _ => Err(SbomError::UnknownFormat),
    }
}

#[derive(Clone, Copy)]
struct Context<'a> {
    origin: Origin,
    limits: &'a Limits,
}

/// A signed envelope. The signature is not looked at: whoever can write the file can sign it.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Envelope {
    payload_type: String,
    payload: String,
}

impl Context<'_> {
    /// A file of the user's is in memory anyway.
    fn sizes(self) -> PartSizes {
        match self.origin {
            Origin::User => PartSizes::UNBOUNDED,
            Origin::Image => PartSizes::of(self.limits),
        }
    }

    fn parts<'t>(self, text: &'t Kept<'t>) -> Result<Parts<'t>, JsonError> {
        Parts::classic(text, FIELDS, self.sizes())
    }

    fn json(self, text: &Kept<'_>) -> Result<(SbomFormat, Bom), SbomError> {
        let document = self.parts(text)?;
        let mark = |name| document.whole::<String>(name);
        let (bom_format, spdx_id) = (mark("bomFormat")?, mark("SPDXID")?);
        let (media_type, payload_type) = (mark("mediaType")?, mark("payloadType")?);
        let predicate_type = mark("predicateType")?;
        if bom_format == "CycloneDX" {
            return self.cyclonedx(&document);
        }
        if spdx_id == "SPDXRef-DOCUMENT" {
            return self.spdx(&document);
        }
        if media_type == BUNDLE_TYPE {
            let envelope = document.whole("dsseEnvelope");
            let envelope =
                envelope.map_err(|error| SbomError::from(error).in_format("a Sigstore bundle"));
            drop(document);
            return self.envelope(envelope?);
        }
        if !payload_type.is_empty() {
            let payload = document.whole("payload");
            let payload =
                payload.map_err(|error| SbomError::from(error).in_format("an attestation"))?;
            drop(document);
            return self.envelope(Envelope {
                payload_type,
                payload,
            });
        }
        // The reference reads statements in envelopes only.
        if self.origin == Origin::User && !predicate_type.is_empty() {
            return self.statement(&document);
        }
        Err(SbomError::UnknownFormat)
    }

    fn cyclonedx(self, document: &Parts<'_>) -> Result<(SbomFormat, Bom), SbomError> {
        let bom = cyclonedx::read_json(document, self.limits);
        let bom = bom.map_err(|error| error.in_format("CycloneDX"))?;
        Ok((SbomFormat::CycloneDx, bom))
    }

    fn spdx(self, document: &Parts<'_>) -> Result<(SbomFormat, Bom), SbomError> {
        let bom = spdx::read_json(document, self.limits);
        let bom = bom.map_err(|error| error.in_format("SPDX"))?;
        Ok((SbomFormat::Spdx, bom))
    }

    fn envelope(self, envelope: Envelope) -> Result<(SbomFormat, Bom), SbomError> {
        let attestation = |reason: String| SbomError::Attestation { reason };
        if envelope.payload_type != PAYLOAD_TYPE {
            let reason = format!("payload type '{}'", envelope.payload_type);
            return Err(attestation(reason));
        }
        let payload = BASE64.decode(&envelope.payload);
        let payload = payload.map_err(|error| attestation(error.to_string()))?;
        drop(envelope);
        let payload = Kept::from(&*payload);
        let statement = self.parts(&payload);
        self.statement(&statement.map_err(|error| attestation(error.to_string()))?)
    }

    /// Reads what an attestation holds.
    fn statement(self, statement: &Parts<'_>) -> Result<(SbomFormat, Bom), SbomError> {
        self.predicate(statement).map_err(|error| match error {
            SbomError::Json { source, .. } if !source.is_limit() => SbomError::Attestation {
                reason: source.to_string(),
            },
            other => other,
        })
    }

    fn predicate(self, statement: &Parts<'_>) -> Result<(SbomFormat, Bom), SbomError> {
        let kind: String = statement.whole("predicateType")?;
        let (bytes, _) = statement.whole_bytes("predicate")?.unwrap_or((b"{}", 0));
        let text = Kept::from(bytes);
        match kind.as_str() {
            kind if PREDICATES_CYCLONEDX.contains(&kind) => {
                let around = Parts::classic(&text, COSIGN_FIELDS, self.sizes())?;
                match around.whole_bytes("Data")? {
                    Some((data, _)) => self.cyclonedx(&self.parts(&Kept::from(data))?),
                    None => self.cyclonedx(&self.parts(&text)?),
                }
            }
            PREDICATE_SPDX => self.spdx(&self.parts(&text)?),
            kind => Err(SbomError::Attestation {
                reason: format!("predicate type '{kind}'"),
            }),
        }
    }
}

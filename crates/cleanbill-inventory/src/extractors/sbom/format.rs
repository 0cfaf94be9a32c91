//! Which format a document has.
//!
//! Source: spec 04 section 1.11 for the formats and their order; in-toto attestations and
//! Sigstore bundles 0.3 for what may be around a document.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::bom::Bom;
use super::error::SbomError;
use super::{cyclonedx, spdx};
use crate::json::{first_object, or_default};

const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
const BUNDLE_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const PREDICATES_CYCLONEDX: [&str; 2] =
    ["https://cyclonedx.org/bom", "https://cyclonedx.org/schema"];
const PREDICATE_SPDX: &str = "https://spdx.dev/Document";

/// The members that tell formats apart.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Marks {
    #[serde(rename = "bomFormat", deserialize_with = "or_default")]
    bom_format: String,
    #[serde(rename = "SPDXID", deserialize_with = "or_default")]
    spdx_id: String,
    #[serde(rename = "mediaType", deserialize_with = "or_default")]
    media_type: String,
    #[serde(rename = "payloadType", deserialize_with = "or_default")]
    payload_type: String,
}

/// Decodes a document of any format.
///
/// # Errors
///
/// The format is unknown or not supported, or the document is malformed.
pub(super) fn decode(bytes: &[u8]) -> Result<Bom, SbomError> {
    let text = bytes.trim_ascii_start();
    match text.first() {
        Some(b'{') => decode_json(bytes),
        Some(b'<') if contains(text, b"http://cyclonedx.org") => {
            Err(SbomError::UnsupportedFormat {
                format: "CycloneDX XML".to_owned(),
            })
        }
        _ if bytes.starts_with(b"SPDX") => spdx::decode_tag_value(bytes),
        _ => Err(SbomError::UnknownFormat),
    }
}

fn decode_json(bytes: &[u8]) -> Result<Bom, SbomError> {
    let marks: Marks = json("JSON", bytes)?;
    if marks.bom_format == "CycloneDX" {
        return cyclonedx::convert(json("CycloneDX", bytes)?);
    }
    if marks.spdx_id == "SPDXRef-DOCUMENT" {
        return spdx::convert_json(json("SPDX", bytes)?);
    }
    if marks.media_type == BUNDLE_TYPE {
        let bundle: Bundle = json("a Sigstore bundle", bytes)?;
        return bundle.envelope.decode();
    }
    if !marks.payload_type.is_empty() {
        return json::<Envelope>("an attestation", bytes)?.decode();
    }
    Err(SbomError::UnknownFormat)
}

fn json<T: DeserializeOwned>(format: &'static str, bytes: &[u8]) -> Result<T, SbomError> {
    first_object(bytes).map_err(|source| SbomError::Json { format, source })
}

#[derive(Deserialize)]
struct Bundle {
    #[serde(rename = "dsseEnvelope")]
    envelope: Envelope,
}

/// A signed envelope. The signature is not looked at: whoever can write the file can sign it.
#[derive(Deserialize)]
struct Envelope {
    #[serde(rename = "payloadType", default, deserialize_with = "or_default")]
    payload_type: String,
    #[serde(default, deserialize_with = "or_default")]
    payload: String,
}

#[derive(Deserialize)]
struct Statement<P> {
    #[serde(rename = "predicateType", default, deserialize_with = "or_default")]
    predicate_type: String,
    predicate: P,
}

/// What the first versions of Cosign put around a document.
#[derive(Deserialize)]
struct CosignPredicate<P> {
    #[serde(rename = "Data")]
    data: P,
}

impl Envelope {
    fn decode(self) -> Result<Bom, SbomError> {
        let attestation = |reason: String| SbomError::Attestation { reason };
        if self.payload_type != PAYLOAD_TYPE {
            return Err(attestation(format!("payload type '{}'", self.payload_type)));
        }
        let payload = BASE64.decode(&self.payload);
        let payload = payload.map_err(|error| attestation(error.to_string()))?;
        decode_statement(&payload).map_err(|error| match error {
            SbomError::Json { source, .. } => attestation(source.to_string()),
            other => other,
        })
    }
}

fn decode_statement(bytes: &[u8]) -> Result<Bom, SbomError> {
    let format = "an attestation";
    let statement: Statement<IgnoredAny> = json(format, bytes)?;
    match statement.predicate_type.as_str() {
        kind if PREDICATES_CYCLONEDX.contains(&kind) => {
            let wrapped = json::<Statement<CosignPredicate<cyclonedx::Document>>>(format, bytes);
            let document = match wrapped {
                Ok(statement) => statement.predicate.data,
                Err(_) => json::<Statement<cyclonedx::Document>>(format, bytes)?.predicate,
            };
            cyclonedx::convert(document)
        }
        PREDICATE_SPDX => {
            spdx::convert_json(json::<Statement<spdx::Document>>(format, bytes)?.predicate)
        }
        kind => Err(SbomError::Attestation {
            reason: format!("predicate type '{kind}'"),
        }),
    }
}

fn contains(text: &[u8], needle: &[u8]) -> bool {
    text.windows(needle.len()).any(|window| window == needle)
}

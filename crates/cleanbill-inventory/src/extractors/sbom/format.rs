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
use super::{Origin, SbomFormat, cyclonedx, spdx};
use crate::json::decode_classic;

const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
const BUNDLE_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const PREDICATES_CYCLONEDX: [&str; 2] =
    ["https://cyclonedx.org/bom", "https://cyclonedx.org/schema"];
const PREDICATE_SPDX: &str = "https://spdx.dev/Document";

/// The members that tell formats apart.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Marks {
    #[serde(rename = "bomFormat")]
    bom_format: String,
    #[serde(rename = "SPDXID")]
    spdx_id: String,
    #[serde(rename = "mediaType")]
    media_type: String,
    #[serde(rename = "payloadType")]
    payload_type: String,
    #[serde(rename = "predicateType")]
    predicate_type: String,
}

/// Decodes a document of any format.
///
/// # Errors
///
/// The format is unknown or not supported, or the document is malformed.
pub(super) fn decode(bytes: &[u8], origin: Origin) -> Result<(SbomFormat, Bom), SbomError> {
    let text = bytes.trim_ascii_start();
    match text.first() {
        Some(b'{') => decode_json(bytes, origin),
        Some(b'<' | b'\xef') if contains(text, b"http://cyclonedx.org") => match origin {
            Origin::User => Ok((SbomFormat::CycloneDx, cyclonedx::decode_xml(bytes)?)),
            Origin::Image => Err(SbomError::UnsupportedFormat {
                format: "CycloneDX XML".to_owned(),
            }),
        },
        _ if bytes.starts_with(b"SPDX") => Ok((SbomFormat::Spdx, spdx::decode_tag_value(bytes)?)),
        _ => Err(SbomError::UnknownFormat),
    }
}

fn decode_json(bytes: &[u8], origin: Origin) -> Result<(SbomFormat, Bom), SbomError> {
    let marks: Marks = json("JSON", bytes)?;
    if marks.bom_format == "CycloneDX" {
        let bom = cyclonedx::convert(json("CycloneDX", bytes)?)?;
        return Ok((SbomFormat::CycloneDx, bom));
    }
    if marks.spdx_id == "SPDXRef-DOCUMENT" {
        let bom = spdx::convert_json(json("SPDX", bytes)?)?;
        return Ok((SbomFormat::Spdx, bom));
    }
    if marks.media_type == BUNDLE_TYPE {
        let bundle: Bundle = json("a Sigstore bundle", bytes)?;
        return bundle.envelope.decode();
    }
    if !marks.payload_type.is_empty() {
        return json::<Envelope>("an attestation", bytes)?.decode();
    }
    // The reference reads statements in envelopes only.
    if origin == Origin::User && !marks.predicate_type.is_empty() {
        return decode_statement(bytes);
    }
    Err(SbomError::UnknownFormat)
}

fn json<T: DeserializeOwned>(format: &'static str, bytes: &[u8]) -> Result<T, SbomError> {
    decode_classic(bytes).map_err(|source| SbomError::Json { format, source })
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Bundle {
    #[serde(rename = "dsseEnvelope")]
    envelope: Envelope,
}

/// A signed envelope. The signature is not looked at: whoever can write the file can sign it.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Envelope {
    payload_type: String,
    payload: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Statement<P> {
    predicate_type: String,
    predicate: P,
}

/// What the first versions of Cosign put around a document.
#[derive(Default, Deserialize)]
#[serde(default)]
struct CosignPredicate<P> {
    #[serde(rename = "Data")]
    data: P,
}

impl Envelope {
    fn decode(self) -> Result<(SbomFormat, Bom), SbomError> {
        let attestation = |reason: String| SbomError::Attestation { reason };
        if self.payload_type != PAYLOAD_TYPE {
            return Err(attestation(format!("payload type '{}'", self.payload_type)));
        }
        let payload = BASE64.decode(&self.payload);
        let payload = payload.map_err(|error| attestation(error.to_string()))?;
        decode_statement(&payload)
    }
}

fn decode_statement(bytes: &[u8]) -> Result<(SbomFormat, Bom), SbomError> {
    let statement: Statement<IgnoredAny> = inside(bytes)?;
    match statement.predicate_type.as_str() {
        kind if PREDICATES_CYCLONEDX.contains(&kind) => {
            let marks: Statement<CosignPredicate<Option<IgnoredAny>>> = inside(bytes)?;
            let document = if marks.predicate.data.is_some() {
                let statement: Statement<CosignPredicate<cyclonedx::Document>> = inside(bytes)?;
                statement.predicate.data
            } else {
                inside::<Statement<cyclonedx::Document>>(bytes)?.predicate
            };
            Ok((SbomFormat::CycloneDx, cyclonedx::convert(document)?))
        }
        PREDICATE_SPDX => {
            let document = inside::<Statement<spdx::Document>>(bytes)?.predicate;
            Ok((SbomFormat::Spdx, spdx::convert_json(document)?))
        }
        kind => Err(SbomError::Attestation {
            reason: format!("predicate type '{kind}'"),
        }),
    }
}

/// Decodes what an attestation holds.
fn inside<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, SbomError> {
    decode_classic(bytes).map_err(|error| SbomError::Attestation {
        reason: error.to_string(),
    })
}

fn contains(text: &[u8], needle: &[u8]) -> bool {
    text.windows(needle.len()).any(|window| window == needle)
}

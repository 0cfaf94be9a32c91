//! The JSON Schema of the report, made from the types.

use schemars::generate::SchemaSettings;

use super::Report;

/// Returns the JSON Schema (2020-12) of the format `json`, indented, with a final newline.
pub fn json_schema() -> String {
    let generator = SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator();
    let schema = generator.into_root_schema_for::<Report<'static>>();
    let mut text = format!("{:#}", schema.as_value());
    text.push('\n');
    text
}

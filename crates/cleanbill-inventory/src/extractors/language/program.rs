//! Compiled programs that say what they were made of: Go's build information and Rust's audit
//! data.
//!
//! Nearly every executable of an image is something else. The first bytes tell scripts, the tables
//! of a program tell the rest; where a layer lies unpacked no more than these is read.

mod go;
mod layout;
mod passed;
mod rust;
mod source;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use cleanbill_core::Limits;

use crate::draft::LayerDraft;
use crate::extractor::{Content, ExtractError, Extractor, FileInput, LinkRule};
use crate::room::Room;
use crate::walk::settle;
use layout::Layout;
use passed::Passed;
use source::Source;

/// Reads whatever may be executed, and what is named as a program of Windows.
pub(in crate::extractors) struct Program;

impl Extractor for Program {
    fn name(&self) -> &'static str {
        "program"
    }

    fn wants(&self, path: &str, _size_bytes: u64) -> bool {
        path.ends_with(".exe")
    }

    fn wants_executables(&self) -> bool {
        true
    }

    fn wants_content(&self, first: &[u8]) -> bool {
        layout::is_program(first)
    }

    fn link_rule(&self) -> LinkRule {
        LinkRule::Ignore
    }

    fn extract(
        &self,
        file: &mut FileInput<'_>,
        draft: &mut LayerDraft,
    ) -> Result<(), ExtractError> {
        let (path, limits, stated_size) = (file.path, file.limits, file.size_bytes);
        match file.content()? {
            Content::Whole(bytes) => extract(path, &Source::Whole(&bytes), limits, draft),
            Content::File { file, size_bytes } => {
                let source = Source::File {
                    file,
                    size_bytes,
                    read_size_bytes_max: limits.program_data_size_bytes_max,
                };
                extract(path, &source, limits, draft)
            }
            Content::Stream(stream) => {
                let passed = Passed::read(stream, stated_size)?;
                extract(path, &Source::Passed(passed), limits, draft)
            }
        }
    }
}

fn extract(
    path: &str,
    source: &Source<'_>,
    limits: &Limits,
    draft: &mut LayerDraft,
) -> Result<(), ExtractError> {
    let layout = Layout::read(source).map_err(|error| error.reading("a table of the program"))?;
    let mut room = Room::new(limits);
    let go = go::read(source, &layout, &mut room).map(|program| {
        let program = program?;
        draft.add_application(go::KIND, path, program.packages);
        program.problem
    });
    let rust = rust::read(source, &layout, limits, &mut room).map(|packages| {
        let packages = packages.filter(|packages| !packages.is_empty())?;
        draft.add_application(rust::KIND, path, packages);
        None
    });
    let damage = layout
        .damage
        .map(|error| error.reading("the program's table of sections"));
    let errors = [go, rust, Ok(damage)].map(|outcome| outcome.unwrap_or_else(Some));
    let errors = errors.into_iter().flatten().chain(room.check().err());
    for error in errors {
        settle(error, path, draft)?;
    }
    Ok(())
}

//! `cleanbill base`: the images that are known, and so can be found to be the base of another.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context as _;
use cleanbill_core::ImageReference;
use cleanbill_engine::{read_base_list, write_base_list};
use cleanbill_store::{KnownChain, LayerCache};
use jiff::Timestamp;
use serde_json::json;

use super::{Setting, print};
use crate::bounded_file;
use crate::cli::BaseCommand;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::places;

/// Bytes of an imported list. A name with ten layers has 900.
const LIST_SIZE_BYTES_MAX: u64 = 64 << 20;

pub(crate) fn run(setting: &Setting, command: &BaseCommand) -> Result<Exit, CommandError> {
    let directory = places::cache_directory(setting.global.cache_dir.clone(), &setting.environment);
    let cache = LayerCache::open(&directory, cleanbill_inventory::EXTRACTORS_VERSION)
        .map_err(CommandError::usage)?;
    let text = match command {
        BaseCommand::List { json } => list(&cache, *json)?,
        BaseCommand::Import { file } => import(&cache, file)?,
        BaseCommand::Export => export(&cache)?,
        BaseCommand::Rm { names } => remove(&cache, names)?,
    };
    print(text.as_bytes())
}

fn list(cache: &LayerCache, is_json: bool) -> Result<String, CommandError> {
    let known = cache.chains().map_err(CommandError::usage)?;
    if is_json {
        let entries: Vec<_> = known.iter().map(entry).collect();
        return Ok(format!("{:#}\n", json!(entries)));
    }
    if known.is_empty() {
        return Ok("No image is known yet: scan one, or import a list.\n".to_owned());
    }
    let rows: Vec<[String; 4]> = known
        .iter()
        .map(|known| {
            [
                known.chain.reference.familiar(),
                known.chain.diff_ids.len().to_string(),
                origin(known).to_owned(),
                day(known.seen_at),
            ]
        })
        .collect();
    Ok(columns(["NAME", "LAYERS", "FROM", "LAST SEEN"], &rows))
}

fn entry(known: &KnownChain) -> serde_json::Value {
    let layers = known.chain.diff_ids.iter();
    json!({
        "name": known.chain.reference.familiar(),
        "image_id": known.chain.image_id.map(|id| id.to_string()),
        "diff_ids": layers.map(ToString::to_string).collect::<Vec<_>>(),
        "from": origin(known),
        "last_seen": Timestamp::from_second(known.seen_at).map(|at| at.to_string()).ok(),
    })
}

fn origin(known: &KnownChain) -> &'static str {
    match known {
        KnownChain {
            is_claimed: true, ..
        } => "archive",
        KnownChain {
            is_imported: true, ..
        } => "import",
        _ => "scan",
    }
}

fn day(seconds: i64) -> String {
    Timestamp::from_second(seconds)
        .map(|at| at.strftime("%Y-%m-%d").to_string())
        .unwrap_or_default()
}

/// Aligns cells to the left.
fn columns(head: [&str; 4], rows: &[[String; 4]]) -> String {
    let mut widths = head.map(str::len);
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.len());
        }
    }
    let [name, layers, from, _] = widths;
    let mut text = String::new();
    let mut write = |cells: [&str; 4]| {
        let [a, b, c, d] = cells;
        // Writing to a string does not fail.
        let _ = writeln!(text, "{a:name$}  {b:>layers$}  {c:from$}  {d}");
    };
    write(head);
    for row in rows {
        write(row.each_ref().map(String::as_str));
    }
    text
}

fn import(cache: &LayerCache, file: &Path) -> Result<String, CommandError> {
    let name = match file == Path::new("-") {
        true => "standard input".to_owned(),
        false => file.display().to_string(),
    };
    let chains = bounded_file::bytes_or_stdin(file, LIST_SIZE_BYTES_MAX)
        .and_then(|bytes| Ok(read_base_list(&bytes)?))
        .with_context(|| format!("cannot read a list of images from {name}"))
        .map_err(CommandError::usage)?;
    let added = cache
        .chains_import(&chains, Timestamp::now().as_second())
        .map_err(CommandError::usage)?;
    Ok(format!(
        "Read {} images, {added} of them new.\n",
        chains.len()
    ))
}

/// Prints what each name was seen with first before what it means now, so that an import ends with
/// the latter. What only archives claim is not passed on: an import would count as known.
fn export(cache: &LayerCache) -> Result<String, CommandError> {
    let mut known = cache.chains().map_err(CommandError::usage)?;
    known.retain(|known| !known.is_claimed);
    known.sort_by(|a, b| {
        let key = |known: &KnownChain| (known.chain.reference.to_string(), known.seen_at);
        key(a).cmp(&key(b))
    });
    Ok(write_base_list(known.iter().map(|known| &known.chain)))
}

fn remove(cache: &LayerCache, names: &[String]) -> Result<String, CommandError> {
    let references: Result<Vec<ImageReference>, _> =
        names.iter().map(|name| name.parse()).collect();
    let mut text = String::new();
    for reference in references.map_err(CommandError::usage)? {
        let name = reference.familiar();
        match cache
            .chains_remove(&reference)
            .map_err(CommandError::usage)?
        {
            0 => {
                return Err(
                    CommandError::usage_text(format!("no image is known as {name}"))
                        .hint("the names are in: cleanbill base list"),
                );
            }
            _ => {
                let _ = writeln!(text, "Forgot {name}.");
            }
        }
    }
    Ok(text)
}

//! Whose layers the scanned images have.

use std::path::Path;

use cleanbill_core::DiffId;
use cleanbill_core::report::ImageReport;
use cleanbill_engine::{BaseError, BaseImages, Scanner};
use cleanbill_image::{Image, split_prefix};
use cleanbill_store::{LayerCache, NamedBy};

use super::sources::{Sources, Target};
use crate::error::CommandError;

/// Words of the sources whose images are listed to find bases.
const LISTED_SOURCES: [&str; 2] = ["docker", "podman"];

/// Finds the bases of what is scanned.
pub(super) struct Bases<'a> {
    images: BaseImages<'a>,
    /// What `--base` says.
    name: Option<String>,
    /// The source was asked for it.
    has_asked: bool,
}

impl<'a> Bases<'a> {
    /// Looks for bases among the images that the cache knows, and takes what `--base` says: what is
    /// known under that name, else what the source has. `now` is in Unix seconds.
    ///
    /// # Errors
    ///
    /// The named base is not known and cannot be opened.
    pub(super) fn new(
        cache: &'a LayerCache,
        name: Option<&str>,
        now: i64,
        sources: &Sources,
        scanner: &Scanner<'_>,
    ) -> Result<Self, CommandError> {
        let mut bases = Self {
            images: BaseImages::new(cache, now),
            name: name.map(str::to_owned),
            has_asked: false,
        };
        if name.is_some_and(|name| !bases.images.set_named(name)) {
            bases.ask(sources, scanner)?;
        }
        Ok(bases)
    }

    /// Checks that an opened image is built on what `--base` names. What is known under the name may
    /// be older than the image: then the source is asked.
    ///
    /// # Errors
    ///
    /// It is not.
    pub(super) fn check(
        &mut self,
        image: &Image,
        sources: &Sources,
        scanner: &Scanner<'_>,
    ) -> Result<(), CommandError> {
        let diff_ids = diff_ids(image);
        match self.images.check(&image.name, &diff_ids) {
            Err(_) if !self.has_asked && self.ask(sources, scanner).is_ok() => self
                .images
                .check(&image.name, &diff_ids)
                .map_err(wrong_base),
            checked => checked.map_err(wrong_base),
        }
    }

    /// Opens the base that `--base` names.
    fn ask(&mut self, sources: &Sources, scanner: &Scanner<'_>) -> Result<(), CommandError> {
        self.has_asked = true;
        let Some(name) = self.name.clone() else {
            return Ok(());
        };
        let image = open(&name, sources, scanner)?;
        let metadata = &image.metadata;
        let written = Some(split_prefix(&name).1).filter(|_| !is_file(&name));
        let tags = metadata.repo_tags.iter().map(String::as_str);
        let names = written.into_iter().chain(tags);
        let named_by = match is_file(&name) {
            true => NamedBy::Archive,
            false => NamedBy::Source,
        };
        self.images.remember_as(
            names.filter_map(|name| name.parse().ok()),
            named_by,
            metadata.image_id,
            &diff_ids(&image),
        );
        self.images.add_named(metadata.image_id, diff_ids(&image));
        Ok(())
    }

    /// Remembers what was scanned. If that is news, the engine that it came from is asked for its
    /// other images: one of them may be the base. Scans of known images ask for nothing.
    pub(super) fn remember(&self, images: &[ImageReport], sources: &Sources) {
        let mut has_news = false;
        for image in images {
            let is_new = self.images.remember(image);
            has_news |= is_new && LISTED_SOURCES.contains(&image.source.as_str());
        }
        if !has_news {
            return;
        }
        let listed = sources
            .engine()
            .and_then(|engine| Ok((engine, engine.list_images(false)?)));
        match listed {
            Ok((engine, listed)) => self.images.learn(&listed, |id| engine.diff_ids(id)),
            Err(error) => tracing::debug!(%error, "cannot list the engine's images to find bases"),
        }
    }

    /// Finds the base of an image, and says of each finding whose it is.
    ///
    /// # Errors
    ///
    /// It is not built on what `--base` names.
    pub(super) fn attribute(&self, image: &mut ImageReport) -> Result<(), CommandError> {
        self.images.attribute(image).map_err(wrong_base)
    }

    /// Recommends other bases, see [`BaseImages::advise`].
    pub(super) fn advise(
        &self,
        scanner: &Scanner<'_>,
        image: &mut ImageReport,
        apply_policy: &mut dyn FnMut(&mut ImageReport),
    ) {
        self.images.advise(scanner, image, apply_policy);
    }
}

/// Returns the layers; a directory on disk has none that another image could have.
fn diff_ids(image: &Image) -> Vec<DiffId> {
    let layers = image.metadata.layers.iter();
    let layers = layers.filter(|_| image.layers.is_content_addressed());
    layers.map(|layer| layer.id.diff_id).collect()
}

/// Says that `--base` means an archive or layout: a file of that name is there, or the name is
/// written as a path.
fn is_file(name: &str) -> bool {
    name.starts_with(['/', '.']) || Path::new(name).is_file()
}

fn open(name: &str, sources: &Sources, scanner: &Scanner<'_>) -> Result<Image, CommandError> {
    let target = match is_file(name) {
        true => Target::Input(name.to_owned()),
        false => Target::Image(name.to_owned()),
    };
    let mut sink = scanner.inventories().sink(name, scanner.observer());
    let mut images = sources.open(&target, &mut sink).map_err(|failure| {
        CommandError::usage(anyhow::Error::new(failure.error).context(format!("--base {name}")))
            .hint("it can be any image that is known: cleanbill base list")
    })?;
    match (images.pop(), images.len()) {
        (Some(image), 0) => Ok(image),
        (last, rest) => Err(CommandError::usage_text(format!(
            "--base {name}: it holds {} images",
            rest + usize::from(last.is_some())
        ))
        .hint(format!("name one: --base {name}:TAG"))),
    }
}

fn wrong_base(error: BaseError) -> CommandError {
    CommandError::usage(anyhow::Error::new(error).context("--base"))
}

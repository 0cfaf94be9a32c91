//! What is scanned, and how it is opened.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use cleanbill_core::ImageReference;
use cleanbill_image::docker::{AccessPreference, EngineEnvironment};
use cleanbill_image::{
    Capabilities, Image, ImageError, ImageSources, InputOptions, LayerSink, LocalImages,
    ReadContext, RegistryClient, SourceName, SourceSettings, open_input, open_rootfs, split_prefix,
};

use crate::cli::ScanArgs;
use crate::commands::Setting;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::registries::Registries;

/// Names one thing to scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::commands) enum Target {
    /// An image by name.
    Image(String),
    /// An image of the local engine by its id.
    Listed { name: String, id: String },
    /// The image that a container was made from.
    Container(String),
    /// An archive or layout.
    Input(String),
    /// A root directory.
    Rootfs { name: String, path: PathBuf },
    /// An SBOM.
    Sbom { name: String, path: PathBuf },
}

impl Target {
    /// Returns what reports call it.
    pub(super) fn name(&self) -> &str {
        match self {
            Target::Image(name) | Target::Container(name) | Target::Input(name) => name,
            Target::Listed { name, .. }
            | Target::Rootfs { name, .. }
            | Target::Sbom { name, .. } => name,
        }
    }
}

/// Says why a target could not be opened.
pub(super) struct OpenFailure {
    pub(super) error: ImageError,
    /// A file of the user's is missing: the call is wrong, not the image.
    pub(super) is_usage: bool,
}

impl From<ImageError> for OpenFailure {
    fn from(error: ImageError) -> Self {
        Self {
            error,
            is_usage: false,
        }
    }
}

/// Opens targets.
pub(in crate::commands) struct Sources {
    /// One for each `--source`, in order; one for all the default ones.
    images: Vec<(Option<SourceName>, ImageSources)>,
    engine: OnceLock<LocalImages>,
    input: InputOptions,
}

impl Sources {
    /// Reads the flags. Nothing is connected yet.
    ///
    /// # Errors
    ///
    /// A value makes no sense.
    pub(in crate::commands) fn new(
        setting: &Setting,
        arguments: &ScanArgs,
        context: &ReadContext,
    ) -> Result<Self, CommandError> {
        let source = &arguments.source;
        let pinned = source
            .source
            .iter()
            .map(|word| word.parse().map(Some))
            .collect::<Result<Vec<Option<SourceName>>, _>>()
            .map_err(|error| CommandError::usage_text(format!("--source: {error}")))?;
        let pinned = if pinned.is_empty() {
            vec![None]
        } else {
            pinned
        };
        let platform = source
            .platform
            .as_deref()
            .map(|text| {
                text.parse()
                    .map_err(|error| CommandError::usage_text(format!("--platform: {error}")))
            })
            .transpose()?;
        let mut environment = engine_environment(setting);
        if source.engine.docker_host.is_some() {
            environment
                .docker_host
                .clone_from(&source.engine.docker_host);
        }
        let registry = registry_client(setting, arguments, context)?;
        let input = InputOptions {
            context: context.clone(),
            platform,
        };
        let sources = |pinned| {
            let settings = SourceSettings {
                pinned,
                platform: input.platform.clone(),
                access: access(&source.docker_access),
                capabilities: Capabilities::of_this_process(),
                ..SourceSettings::default()
            };
            ImageSources::new(
                environment.clone(),
                settings,
                registry.clone(),
                context.clone(),
            )
        };
        let images = pinned
            .into_iter()
            .map(|pinned| (pinned, sources(pinned)))
            .collect();
        Ok(Self {
            images,
            engine: OnceLock::new(),
            input,
        })
    }

    /// Lists what the call asks for; with `--all` the engine is asked.
    ///
    /// # Errors
    ///
    /// Nothing is asked for, a name makes no sense, or the engine does not answer.
    pub(super) fn targets(&self, arguments: &ScanArgs) -> Result<Vec<Target>, CommandError> {
        let source = &arguments.source;
        let mut targets = Vec::new();
        for name in &arguments.images {
            check_name(name)?;
            targets.push(Target::Image(name.clone()));
        }
        targets.extend(source.container.iter().cloned().map(Target::Container));
        targets.extend(source.input.iter().cloned().map(Target::Input));
        targets.extend(source.rootfs.iter().map(|path| Target::Rootfs {
            name: path.display().to_string(),
            path: path.clone(),
        }));
        targets.extend(source.sbom.iter().map(|path| Target::Sbom {
            name: path.display().to_string(),
            path: path.clone(),
        }));
        if source.all {
            let engine = self.engine().map_err(|error| {
                CommandError::with_exit(Exit::Incomplete, error)
                    .hint("check it with: cleanbill doctor")
            })?;
            let listed = engine
                .list_images(source.include_dangling)
                .map_err(|error| CommandError::with_exit(Exit::Incomplete, error))?;
            if listed.is_empty() {
                tracing::warn!("the engine has no images");
            }
            targets.extend(listed.iter().map(|image| Target::Listed {
                name: image.name(),
                id: image.id.to_string(),
            }));
        } else if source.include_dangling {
            return Err(CommandError::usage_text(
                "--include-dangling goes with --all",
            ));
        }
        if targets.is_empty() && !source.all {
            return Err(CommandError::usage_text("nothing to scan").hint(
                "name an image (cleanbill scan alpine:3.20), or use --all, --input FILE, \
                 --rootfs DIR, --sbom FILE or --container NAME",
            ));
        }
        Ok(targets)
    }

    /// Connects to the engine once.
    pub(in crate::commands) fn engine(&self) -> Result<&LocalImages, ImageError> {
        if let Some(engine) = self.engine.get() {
            return Ok(engine);
        }
        let mut failure = None;
        for (_, images) in &self.images {
            match images.connect() {
                Ok(engine) => return Ok(self.engine.get_or_init(|| engine)),
                Err(error) => {
                    failure.get_or_insert(error);
                }
            }
        }
        Err(failure.unwrap_or_else(|| ImageError::Unavailable {
            place: "any local engine".to_owned(),
            reason: "no source is named".to_owned(),
        }))
    }

    /// Opens a target: usually one image, of an archive as many as it holds. Those for another
    /// platform than `--platform` names are left out, and said.
    pub(super) fn open(
        &self,
        target: &Target,
        sink: &mut dyn LayerSink,
    ) -> Result<Vec<Image>, OpenFailure> {
        let images = self.open_all(target, sink)?;
        let Some(wanted) = &self.input.platform else {
            return Ok(images);
        };
        let (mut kept, mut others) = (Vec::new(), Vec::new());
        for image in images {
            match image.check_platform(wanted) {
                Ok(()) => kept.push(image),
                // A single image of a registry is taken whatever its platform, as Trivy does.
                Err(error) if image.source == SourceName::Registry.word() => {
                    tracing::warn!("{error}");
                    kept.push(image);
                }
                Err(error) => others.push(error),
            }
        }
        if !kept.is_empty() {
            others.drain(..).for_each(|error| tracing::warn!("{error}"));
        }
        match others.into_iter().next() {
            Some(error) => Err(error.into()),
            None => Ok(kept),
        }
    }

    fn open_all(
        &self,
        target: &Target,
        sink: &mut dyn LayerSink,
    ) -> Result<Vec<Image>, OpenFailure> {
        let image = match target {
            Target::Image(name) => Image {
                name: name.clone(),
                ..self.open_named(name)?
            },
            Target::Listed { name, id } => Image {
                name: name.clone(),
                ..self.engine()?.open(id)?
            },
            Target::Container(container) => self.engine()?.open_container(container)?,
            Target::Input(argument) => {
                return open_input(argument, &self.input, sink).map_err(missing_file_is_usage);
            }
            Target::Rootfs { path, .. } => {
                open_rootfs(path, &self.input.context).map_err(missing_file_is_usage)?
            }
            Target::Sbom { path, .. } => {
                return Err(OpenFailure::from(ImageError::Unsupported {
                    what: path.display().to_string(),
                    reason: "it is an SBOM, not an image".to_owned(),
                }));
            }
        };
        Ok(vec![image])
    }

    /// Returns the id of the image that a container was made from.
    pub(super) fn image_of_container(&self, container: &str) -> Result<String, ImageError> {
        let image = self.engine()?.open_container(container)?;
        let id = image.metadata.image_id.map(|id| id.to_string());
        Ok(id.unwrap_or(image.name))
    }

    /// Opens an image by name; the error of several sources names each with its reason.
    fn open_named(&self, name: &str) -> Result<Image, ImageError> {
        if let [(_, images)] = self.images.as_slice() {
            return images.open(name);
        }
        let mut failures = Vec::new();
        for (source, images) in &self.images {
            match images.open(name) {
                Ok(image) => return Ok(image),
                Err(error) => {
                    let word = source.map_or("default", SourceName::word);
                    failures.push(format!("{word}: {error}"));
                }
            }
        }
        Err(ImageError::NotFound {
            what: format!("image {name}"),
            place: format!("any of the sources ({})", failures.join("; ")),
        })
    }
}

/// Reads `--docker-access`, whose values the definition of the flag has checked.
fn access(word: &str) -> AccessPreference {
    match word {
        "in-place" => AccessPreference::InPlace,
        "export" => AccessPreference::ExportStream,
        _ => AccessPreference::Automatic,
    }
}

/// Checks that a name can be one of an image.
fn check_name(argument: &str) -> Result<(), CommandError> {
    let (_, name) = split_prefix(argument);
    let is_id = name.len() >= 4 && name.bytes().all(|b| b.is_ascii_hexdigit());
    let is_full_id = name.parse::<cleanbill_core::Digest>().is_ok();
    match name.parse::<ImageReference>() {
        Err(error) if !is_id && !is_full_id => {
            let hint = if Path::new(argument).exists() {
                format!("to scan a file or directory use --input {argument}")
            } else {
                "an image is named like alpine:3.20, ghcr.io/org/app:1 or app@sha256:…".to_owned()
            };
            Err(CommandError::usage(error).hint(hint))
        }
        _ => Ok(()),
    }
}

/// Builds the client for registries; `None` if connections are not permitted.
fn registry_client(
    setting: &Setting,
    arguments: &ScanArgs,
    context: &ReadContext,
) -> Result<Option<RegistryClient>, CommandError> {
    if arguments.registry.network.offline {
        return Ok(None);
    }
    let references: Vec<ImageReference> = arguments
        .images
        .iter()
        .filter_map(|argument| split_prefix(argument).1.parse().ok())
        .collect();
    Registries::new(setting, &arguments.registry.network)
        .with_credential(&arguments.registry)?
        .client(context, &references)
        .map(Some)
}

/// Tells a file that is not there from an image that is broken.
fn missing_file_is_usage(error: ImageError) -> OpenFailure {
    let is_usage = match &error {
        ImageError::Read { source, .. } => matches!(
            source.kind(),
            std::io::ErrorKind::NotFound
                | std::io::ErrorKind::PermissionDenied
                | std::io::ErrorKind::NotADirectory
        ),
        _ => false,
    };
    OpenFailure { error, is_usage }
}

/// Collects what decides where engines are looked for.
pub(crate) fn engine_environment(setting: &Setting) -> EngineEnvironment {
    EngineEnvironment::from_variables(
        |name| setting.environment.get(name).map(str::to_owned),
        rustix::process::getuid().as_raw(),
    )
}

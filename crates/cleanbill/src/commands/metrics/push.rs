//! `cleanbill metrics push`: what saved reports say, to a Pushgateway.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use cleanbill_image::Secret;
use cleanbill_image::http::ApiCredential;
use cleanbill_report::text::clean;
use cleanbill_web::image_label;

use super::gateway::{Group, Mode, PushError, Pushgateway};
use super::gather;
use crate::api;
use crate::cli::{JudgingArgs, PushArgs};
use crate::commands::{Setting, print};
use crate::environment::Environment;
use crate::error::CommandError;
use crate::exit::Exit;

/// Where the address comes from if no flag says it, in order of precedence.
const ADDRESSES: [&str; 2] = ["CLEANBILL_PUSHGATEWAY", "PROMETHEUS_PUSHGATEWAY"];

/// Variables that are secrets themselves.
const PASSWORD: &str = "CLEANBILL_PUSHGATEWAY_PASSWORD";
const TOKEN: &str = "CLEANBILL_PUSHGATEWAY_TOKEN";

pub(super) fn run(setting: &Setting, arguments: &PushArgs) -> Result<Exit, CommandError> {
    if arguments.job.is_empty() {
        return Err(CommandError::usage_text("--job must not be empty"));
    }
    let environment = &setting.environment;
    let gateway = Pushgateway::open(
        api::http_options(&arguments.api, environment),
        &address(arguments, environment)?,
        credential(arguments, environment)?,
        arguments.api.allow_plain_http,
    )
    .map_err(|error| {
        CommandError::usage(error).hint("--pushgateway http://host:9091; see docs/metrics.md")
    })?;
    let mut work = Work {
        gateway,
        arguments,
        deadline: Instant::now() + arguments.api.timeout,
        text: String::new(),
        exit: Exit::Clean,
    };
    if arguments.delete {
        work.delete()?;
    } else {
        work.push()?;
    }
    print(work.text.as_bytes()).map(|printed| work.exit.and(printed))
}

/// Returns the address. What a process was called with can be read by every user of the host, so a
/// password in it has to come from elsewhere.
fn address(arguments: &PushArgs, environment: &Environment) -> Result<String, CommandError> {
    let of_environment = || ADDRESSES.iter().find_map(|name| environment.get(name));
    let Some(of_flag) = arguments.pushgateway.as_deref() else {
        return of_environment().map(str::to_owned).ok_or_else(|| {
            CommandError::usage_text("no Pushgateway is named")
                .hint("--pushgateway http://host:9091, or PROMETHEUS_PUSHGATEWAY")
        });
    };
    let authority = of_flag.split("://").last().unwrap_or_default();
    let authority = authority.split('/').next().unwrap_or_default();
    if authority.contains('@') {
        return Err(CommandError::usage_text(
            "--pushgateway holds a password, which every user of this host could read",
        )
        .hint(format!(
            "set {PASSWORD} or {TOKEN}, or the whole address as {}",
            ADDRESSES[0]
        )));
    }
    Ok(of_flag.to_owned())
}

fn credential(
    arguments: &PushArgs,
    environment: &Environment,
) -> Result<ApiCredential, CommandError> {
    let secret = |file: &Option<PathBuf>, variable: &str| -> Result<Option<Secret>, CommandError> {
        match file {
            Some(file) => api::read_secret(file).map(Some),
            None => Ok(environment.get(variable).map(Secret::new)),
        }
    };
    if let Some(user) = &arguments.pushgateway_user {
        let password = secret(&arguments.pushgateway_password_file, PASSWORD)?;
        return Ok(ApiCredential::Basic(
            user.clone(),
            password.unwrap_or_default(),
        ));
    }
    let token = secret(&arguments.pushgateway_token_file, TOKEN)?;
    Ok(token.map_or(ApiCredential::None, ApiCredential::Bearer))
}

/// Pushes or deletes group by group, and goes on behind one that fails.
struct Work<'a> {
    gateway: Pushgateway,
    arguments: &'a PushArgs,
    deadline: Instant,
    text: String,
    exit: Exit,
}

impl Work<'_> {
    fn push(&mut self) -> Result<(), CommandError> {
        let arguments = self.arguments;
        let metrics = gather(
            &arguments.scan_results,
            &arguments.judging,
            &arguments.series,
        )?;
        let mode = if arguments.add {
            Mode::Add
        } else {
            Mode::Replace
        };
        for image in metrics.by_image() {
            let group = self.group(Some(image.image));
            if arguments.dry_run {
                let method = if arguments.add { "POST" } else { "PUT" };
                self.line(&format!("--- {method} {}", self.gateway.url(&group)));
                self.text.push_str(&image.text);
                continue;
            }
            let left = self.left();
            let done = self
                .gateway
                .push(&group, image.text, mode, left, &api::context());
            self.note(image.image, "pushed", "NOT PUSHED", done);
        }
        Ok(())
    }

    fn delete(&mut self) -> Result<(), CommandError> {
        let arguments = self.arguments;
        let mut images: Vec<String> = arguments
            .image
            .iter()
            .map(|name| image_label(name))
            .collect();
        if !arguments.scan_results.is_empty() {
            // Groups are called as a push of the same reports calls them.
            let nobody = JudgingArgs::default();
            let metrics = gather(&arguments.scan_results, &nobody, &arguments.series)?;
            images.extend(metrics.by_image().map(|one| one.image.to_owned()));
        }
        let mut groups: Vec<Option<&str>> = images.iter().map(|one| Some(one.as_str())).collect();
        groups.sort_unstable();
        groups.dedup();
        if groups.is_empty() {
            groups.push(None);
        }
        for image in groups {
            let group = self.group(image);
            if arguments.dry_run {
                self.line(&format!("--- DELETE {}", self.gateway.url(&group)));
                continue;
            }
            let done = self.gateway.delete(&group, self.left(), &api::context());
            self.note(
                image.unwrap_or("the job alone"),
                "deleted",
                "NOT DELETED",
                done,
            );
        }
        Ok(())
    }

    fn group<'a>(&self, image: Option<&'a str>) -> Group<'a>
    where
        Self: 'a,
    {
        let arguments = self.arguments;
        Group::of_job(&arguments.job)
            .with("instance", arguments.instance.as_deref())
            .with("image", image)
    }

    fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    fn note(&mut self, image: &str, done: &str, undone: &str, outcome: Result<(), PushError>) {
        let place = self.gateway.place();
        match outcome {
            Ok(()) => self.line(&format!("{done} {image} ({place})")),
            Err(error) => {
                let why = cleanbill_core::error_chain(&error);
                self.line(&format!("{undone} {image}: {why}"));
                self.exit = Exit::Incomplete;
            }
        }
    }

    fn line(&mut self, line: &str) {
        // Writing to a string does not fail.
        let _ = writeln!(self.text, "{}", clean(line));
    }
}

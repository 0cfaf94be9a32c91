//! `cleanbill notify CHANNEL --scan-results FILE`: what saved reports say, as one message.

use cleanbill_core::Severity;
use cleanbill_core::problem::AssessmentStatus;
use cleanbill_core::report::{ImageReport, ScanReport};
use cleanbill_image::Secret;
use cleanbill_monitor::notify::{GateVerdict, SummaryOptions, summary};
use cleanbill_policy::SeverityFilter;
use jiff::Timestamp;

use super::super::{Setting, config, print, report};
use super::changes::changes;
use super::sending::{Outcome, choose, composing, kind};
use crate::channels;
use crate::ci_run::CiRun;
use crate::cli::{Occasion, SummaryArgs};
use crate::commands::judging::{Judgement, judge};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::settings::{Call, ChannelSettings, ChannelTarget, Loader, nearest};
use crate::stop;

/// The flag that names the address of the generic webhook, and of whichever channel is told here.
const WEBHOOK_URL: &str = "notify.webhook.url";

/// The severities that count. Where nobody chose, a summary tells all that the reports hold.
const SEVERITIES: &str = "scan.severity";

pub(super) fn run(setting: &Setting, arguments: SummaryArgs) -> Result<Exit, CommandError> {
    stop::after(arguments.patience.timeout);
    let name = arguments.channel.unwrap_or_default();
    let call = with_address(arguments.settings.call, &name)?;
    let loaded = config::load(&Loader::new(call, setting.environment.clone()))?;
    let severities = match loaded.is_default(SEVERITIES) {
        true => Vec::new(),
        false => loaded.settings.scan.severities.clone(),
    };
    let mut settings = loaded.settings;
    let wanted = kind(&name);
    let is_meant =
        |channel: &ChannelSettings| channel.name == name || Some(channel.name.as_str()) == wanted;
    let channels = &mut settings.notify.channels;
    // What is wrong with another channel is nothing to this call.
    if channels.iter().any(is_meant) {
        channels.retain(is_meant);
    } else if let Some(stand_in) = wanted.filter(|_| arguments.dry_run).and_then(stand_in) {
        *channels = vec![stand_in];
    }
    let open = channels::open(&settings, &setting.environment, &stop::flag())?;
    let (name, channel) = choose(&open, &name)?;
    let mut saved = report::read_all(&arguments.scan_results)?;
    let judgement = judge(&arguments.judging, &mut saved, None)?;
    let id = uuid::Uuid::now_v7().to_string();
    let mut composing = composing(&settings, name);
    if composing.report.is_empty() {
        composing.report = CiRun::url(&setting.environment).unwrap_or_default();
    }
    let gate = judgement.as_ref().map(|one| GateVerdict::of(&one.reasons));
    // The gate has judged everything.
    let is_cut = cut_down(&mut saved.report, &severities);
    let options = SummaryOptions {
        id: &id,
        time: Timestamp::now(),
        settings: &composing,
        gate: gate.as_ref(),
        severities: if is_cut { &severities } else { &[] },
    };
    let report = &saved.report;
    let message = match arguments.only_on {
        Occasion::Always => Some(summary(report, &options)),
        Occasion::Failure => {
            has_failed(report, judgement.as_ref()).then(|| summary(report, &options))
        }
        Occasion::Change => changes(report, &settings, &options)?,
    };
    let Some(message) = message else {
        return print(b"Nothing to tell.\n");
    };
    let mut outcome = Outcome::new(arguments.dry_run, &settings);
    outcome.send(name, channel, message);
    outcome.print()
}

/// Returns a channel without an address, for those who want to see what one would get before there is
/// one. Only kinds that need nothing else have one.
fn stand_in(kind: &str) -> Option<ChannelSettings> {
    let webhook_url = Secret::new("https://example.invalid/");
    let target = match kind {
        "slack" => ChannelTarget::Slack { webhook_url },
        "teams" => ChannelTarget::Teams { webhook_url },
        "discord" => ChannelTarget::Discord { webhook_url },
        "mattermost" => ChannelTarget::Mattermost { webhook_url },
        "webhook" => ChannelTarget::Webhook {
            url: webhook_url,
            signing_key: None,
            authorization: None,
        },
        _ => return None,
    };
    Some(ChannelSettings {
        name: kind.to_owned(),
        target,
    })
}

/// The kinds of channels that have an address, with the setting that it is.
const ADDRESSES: &[(&str, &str)] = &[
    ("slack", "notify.slack.webhook_url"),
    ("webhook", WEBHOOK_URL),
    ("teams", "notify.teams.webhook_url"),
    ("discord", "notify.discord.webhook_url"),
    ("mattermost", "notify.mattermost.webhook_url"),
    ("ntfy", "notify.ntfy.url"),
    ("gotify", "notify.gotify.url"),
];

/// Lets `--webhook-url` mean the address of the channel that is told.
fn with_address(mut call: Call, name: &str) -> Result<Call, CommandError> {
    let wanted = kind(name);
    let address = ADDRESSES.iter().find(|(kind, _)| Some(*kind) == wanted);
    let Some(given) = call.flags.remove(WEBHOOK_URL) else {
        return Ok(call);
    };
    let Some((_, field)) = address else {
        let error = CommandError::usage_text(format!(
            "--webhook-url: '{name}' is no kind of channel that has an address"
        ));
        let kinds: Vec<&str> = ADDRESSES.iter().map(|(kind, _)| *kind).collect();
        let error = match nearest(name, kinds.iter().copied()) {
            Some(meant) => error.hint(format!("did you mean {meant}?")),
            None => error,
        };
        return Err(error.hint(format!("there are {}", kinds.join(", "))));
    };
    call.flags.insert(field, given);
    call.given_as.insert(field, "webhook-url");
    Ok(call)
}

/// Leaves out findings of other severities; of none if none is named. Returns whether that may leave
/// out something.
fn cut_down(report: &mut ScanReport, severities: &[Severity]) -> bool {
    let is_cut = !severities.is_empty() && severities.len() < Severity::ALL.len();
    if is_cut {
        let filter: SeverityFilter = severities.iter().copied().collect();
        let results = report
            .images
            .iter_mut()
            .flat_map(|image| &mut image.results);
        for result in results {
            result
                .findings
                .retain(|finding| filter.passes(finding.severity));
        }
    }
    is_cut
}

/// Says whether something failed: the gate if there is one.
fn has_failed(report: &ScanReport, judgement: Option<&Judgement>) -> bool {
    match judgement {
        Some(judgement) => judgement.has_failed(),
        None => report.images.iter().any(is_failure),
    }
}

fn is_failure(image: &ImageReport) -> bool {
    image.status != AssessmentStatus::Complete || image.findings().next().is_some()
}

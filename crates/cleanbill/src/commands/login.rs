//! `cleanbill login`: credentials for a registry, stored where Docker would.

use cleanbill_core::ImageReference;
use cleanbill_image::ReadContext;

use super::{Setting, print};
use crate::cli::LoginArgs;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::registries::{self, Registries};
use crate::stop;

pub(crate) fn run(setting: &Setting, arguments: LoginArgs) -> Result<Exit, CommandError> {
    let registry = registry_name(&arguments.registry)?;
    let LoginArgs {
        password, network, ..
    } = arguments;
    let username = password.registry_username.clone().ok_or_else(|| {
        CommandError::usage_text("login needs --registry-username").hint(HOW_TO_GIVE_SECRETS)
    })?;
    let password = registries::password(&password)?.ok_or_else(|| {
        CommandError::usage_text("login needs a password or token").hint(HOW_TO_GIVE_SECRETS)
    })?;
    let context = ReadContext {
        cancelled: stop::flag(),
        ..ReadContext::default()
    };
    let client = Registries::new(setting, &network).client(&context, [])?;
    let login = client
        .login(&registry, &username, &password)
        .map_err(CommandError::usage)?;
    print(
        format!(
            "{} accepted the credentials; they are kept in {}.\n",
            login.address, login.stored_in
        )
        .as_bytes(),
    )
}

const HOW_TO_GIVE_SECRETS: &str = "for example: echo \"$TOKEN\" | cleanbill login HOST --registry-username NAME --registry-password-stdin";

/// Checks the name of a registry by the grammar of references.
fn registry_name(text: &str) -> Result<String, CommandError> {
    let host = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))
        .unwrap_or(text)
        .trim_end_matches('/');
    format!("{host}/x")
        .parse::<ImageReference>()
        .ok()
        .filter(|reference| reference.repository == "x" || host == "docker.io")
        .map(|reference| reference.registry)
        .ok_or_else(|| {
            CommandError::usage_text(format!(
                "'{text}' is no registry: expected a host such as ghcr.io or localhost:5000"
            ))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registries_are_hosts() {
        for (text, expected) in [
            ("ghcr.io", "ghcr.io"),
            ("https://ghcr.io/", "ghcr.io"),
            ("localhost:5000", "localhost:5000"),
            ("docker.io", "index.docker.io"),
        ] {
            assert_eq!(registry_name(text).unwrap(), expected);
        }
        for text in ["", "plain", "a b.io", "ghcr.io/org"] {
            assert!(registry_name(text).is_err(), "{text}");
        }
    }
}

//! How a registry is told who asks: Basic, or a token of its token service.
//!
//! Source: distribution, "Token Authentication Specification" and "OAuth2 Token Authentication";
//! the rules on where credentials go are ours ([`may_share_credentials`]).

use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde::Deserialize;
use url::Url;
use url::form_urlencoded;

use super::challenge::Challenge;
use super::credentials::{self, Credential, FoundCredential};
use super::endpoint::may_share_credentials;
use super::host::{Authorization, Host};
use super::{Purpose, RegistryClient, RegistryError};
use crate::http::{Request, Response, Secret, display_url};

/// Bytes of a token service's answer. Tokens have some kilobytes.
const TOKEN_ANSWER_SIZE_BYTES_MAX: u64 = 1 << 20;

/// How we introduce ourselves to token services.
const CLIENT_ID: &str = "cleanbill";

impl RegistryClient {
    /// Answers the challenge of a 401: returns the authorization to try next.
    pub(super) fn authorize(
        &self,
        host: &Host,
        purpose: Purpose<'_>,
        response: Response,
        rejected: Option<&Authorization>,
    ) -> Result<Authorization, RegistryError> {
        let challenges = Challenge::of(response.headers());
        let find = |scheme: &str| {
            challenges
                .iter()
                .find(|challenge| challenge.scheme == scheme)
        };
        let (bearer, basic) = (find("bearer"), find("basic"));
        host.renew(purpose.repository, rejected, || {
            let found = self.find_credential(host, purpose.repository)?;
            let credential = found.as_ref().map(|found| &found.credential);
            match (bearer, basic, credential) {
                (_, _, Some(Credential::RegistryToken(token))) => Ok(Authorization::bearer(token)),
                (Some(challenge), _, _) => {
                    let token = self.fetch_token(host, purpose, challenge, found.as_ref())?;
                    Ok(Authorization::bearer(&token))
                }
                (None, Some(_), Some(Credential::Basic { username, password })) => {
                    Ok(Authorization::basic(username, password))
                }
                _ => Err(self.denial(host, purpose, response)),
            }
        })
    }

    /// Repeats a request at the foreign host that a registry redirected it to and that wants a
    /// token of its own. It gets one as for anybody: our credentials are not for it.
    pub(super) fn get_elsewhere(
        &self,
        host: &Host,
        purpose: Purpose<'_>,
        response: Response,
        headers: &HeaderMap,
    ) -> Result<Response, RegistryError> {
        let challenges = Challenge::of(response.headers());
        let Some(challenge) = challenges
            .iter()
            .find(|challenge| challenge.scheme == "bearer")
        else {
            return Err(self.error_of(response, purpose));
        };
        let token = self.fetch_token(host, purpose, challenge, None)?;
        let mut request = Request::get(response.url().clone(), host.base());
        request.headers = headers.clone();
        Authorization::bearer(&token).apply(&mut request.headers);
        let response = self.send(&request, host)?;
        match response.status().as_u16() {
            401 => Err(self.error_of(response, purpose)),
            _ => Ok(response),
        }
    }

    /// Explains a 401 that credentials were no help against, or that there were none for.
    pub(super) fn denial(
        &self,
        host: &Host,
        purpose: Purpose<'_>,
        response: Response,
    ) -> RegistryError {
        let url = display_url(response.url());
        let answer = self.read_error(response);
        let registry = host.registry();
        let reason = match self.find_credential(host, purpose.repository) {
            Ok(Some(found)) => {
                format!(
                    "the credentials from {} do not suffice ({answer})",
                    found.origin
                )
            }
            _ => format!("{answer}; for a private image run `cleanbill login {registry}`"),
        };
        RegistryError::Unauthorized {
            url,
            reason,
            answer,
        }
    }

    fn find_credential(
        &self,
        host: &Host,
        repository: &str,
    ) -> Result<Option<FoundCredential>, RegistryError> {
        let options = &self.shared.credentials;
        Ok(credentials::find(
            options,
            host.registry(),
            repository,
            self.context(),
        )?)
    }

    /// Fetches a token, with credentials if there are any and the token service may see them.
    fn fetch_token(
        &self,
        host: &Host,
        purpose: Purpose<'_>,
        challenge: &Challenge,
        found: Option<&FoundCredential>,
    ) -> Result<Secret, RegistryError> {
        let realm = parse_realm(host, challenge)?;
        let may_share = may_share_credentials(host.base(), &realm);
        let credential = found.map(|found| &found.credential).filter(|_| may_share);
        let request = token_request(host, purpose, challenge, realm, credential);
        let response = self.send(&request, host)?;
        if !response.status().is_success() {
            let url = display_url(response.url());
            let answer = self.read_error(response);
            return Err(match answer.status {
                400 | 401 | 403 => {
                    let reason = refusal(host, found, may_share, &answer.to_string());
                    RegistryError::Unauthorized {
                        url,
                        reason,
                        answer,
                    }
                }
                _ => RegistryError::of_answer("the token service", url, answer),
            });
        }
        let what = format!(
            "the answer of token service {}",
            display_url(response.url())
        );
        let body = response
            .read_whole(TOKEN_ANSWER_SIZE_BYTES_MAX, self.context())
            .map_err(|error| RegistryError::of_http(error, host.registry()))?;
        parse_token(&zeroize::Zeroizing::new(body)).ok_or(RegistryError::Malformed {
            what,
            reason: "there is no token in it".to_owned(),
        })
    }
}

fn refusal(host: &Host, found: Option<&FoundCredential>, may_share: bool, answer: &str) -> String {
    let registry = host.registry();
    match found {
        None => format!("{answer}; for a private image run `cleanbill login {registry}`"),
        Some(found) if may_share => {
            format!(
                "it refuses the credentials from {} ({answer})",
                found.origin
            )
        }
        Some(_) => format!(
            "{answer}; it was asked anonymously, because credentials for {registry} are not sent \
             to another site"
        ),
    }
}

fn parse_realm(host: &Host, challenge: &Challenge) -> Result<Url, RegistryError> {
    let text = challenge.parameter("realm").unwrap_or_default();
    let is_usable = |url: &Url| {
        matches!(url.scheme(), "https" | "http")
            && url.username().is_empty()
            && url.password().is_none()
    };
    Url::parse(text)
        .ok()
        .filter(is_usable)
        .ok_or_else(|| RegistryError::Malformed {
            what: format!("the challenge of {}", display_url(host.base())),
            reason: "its realm is no address of a token service".to_owned(),
        })
}

fn token_request<'a>(
    host: &'a Host,
    purpose: Purpose<'_>,
    challenge: &Challenge,
    mut realm: Url,
    credential: Option<&Credential>,
) -> Request<'a> {
    let own_scope = format!("repository:{}:pull", purpose.repository);
    let scope = challenge
        .parameter("scope")
        .or((!purpose.repository.is_empty()).then_some(own_scope.as_str()));
    let service = challenge.parameter("service");
    let parameters: Vec<(&str, &str)> = [("service", service), ("scope", scope)]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect();
    if let Some(Credential::IdentityToken(token)) = credential {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(&parameters)
            .append_pair("grant_type", "refresh_token")
            .append_pair("client_id", CLIENT_ID)
            .append_pair("refresh_token", token.expose());
        let mut request = Request::get(realm, host.base());
        request.method = Method::POST;
        let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers.insert(CONTENT_TYPE, form_type);
        request.body = Some(form.finish().into_bytes());
        return request;
    }
    realm.query_pairs_mut().extend_pairs(&parameters);
    let mut request = Request::get(realm, host.base());
    if let Some(Credential::Basic { username, password }) = credential {
        Authorization::basic(username, password).apply(&mut request.headers);
    }
    request
}

/// Reads the token, which has two names.
fn parse_token(body: &[u8]) -> Option<Secret> {
    #[derive(Deserialize)]
    struct Answer {
        token: Option<String>,
        access_token: Option<String>,
    }
    let answer: Answer = serde_json::from_slice(body).ok()?;
    let given = |token: Option<String>| token.filter(|token| !token.is_empty());
    given(answer.token)
        .or(given(answer.access_token))
        .map(Secret::new)
}

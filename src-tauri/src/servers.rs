//! Servers as stores: where their tokens and last answers lie on this machine.

use std::path::{Path, PathBuf};

use patchbay_model::token::SecretKind;
use patchbay_model::{Context, Problem, RemoteUrl, Secret};
use patchbay_remote::{Cache, CacheLimits, Client, RemoteStore, TokenPlace};
use patchbay_vault::{KeyringItem, parse_token};

/// What the servers' audit logs call this program.
const PROGRAM: &str = "desktop";

/// A token that a person gave.
pub(crate) struct Given {
    pub(crate) access: Secret,
    pub(crate) refresh: Option<Secret>,
}

/// The entry of the keyring that holds the token pair of a server.
fn token_item(url: &RemoteUrl) -> KeyringItem {
    KeyringItem::new(format!("token of {url}"))
}

/// The entry of the keyring that holds the key of a server's answers.
fn cache_item(url: &RemoteUrl) -> KeyringItem {
    KeyringItem::new(format!("answers of {url}"))
}

/// The folder of a server's answers. The name is the address, without what no file name may hold.
fn cache_folder(cache: &Path, url: &RemoteUrl) -> PathBuf {
    let name: String = url.to_string().chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-') { c } else { '_' }).collect();
    cache.join("servers").join(name)
}

/// Opens a server with the token that was given, or else with the one in the keyring.
///
/// # Errors
/// `token_missing`, `token_invalid`, `key_unavailable`, `server_unreachable`, `server_incompatible`; other problems of the server.
pub(crate) async fn open(url: &RemoteUrl, given: Option<Given>, cache: &Path, context: &Context) -> Result<RemoteStore, Problem> {
    let client = match given {
        None => Client::kept(url.clone(), token_item(url), PROGRAM, context.clone()).await?,
        Some(given) => {
            let access = shaped(given.access, SecretKind::OrganizationAccess, "/token")?;
            let refresh = given.refresh.map(|refresh| shaped(refresh, SecretKind::Refresh, "/refresh")).transpose()?;
            // Trusted only after it has kept something; and before the pair is exchanged for one that must be kept.
            let probing = context.clone();
            aside(move || KeyringItem::probe(&probing)).await??;
            let place = TokenPlace::Keyring(token_item(url));
            let adopted = Client::adopt(url.clone(), access, refresh, place, PROGRAM, context.clone()).await;
            adopted.map_err(|failure| failure.problem_of("session.info"))?.0
        }
    };
    let (folder, server, item, at) = (cache_folder(cache, url), url.to_string(), cache_item(url), context.clone());
    let cache = aside(move || Cache::open(&folder, &server, &item, CacheLimits::default(), at)).await??;
    RemoteStore::open(client, Some(cache), context.clone()).await
}

/// Removes the token and the answers of a server from this machine.
///
/// # Errors
/// `key_unavailable` when the keyring cannot be used.
pub(crate) async fn forget(url: &RemoteUrl, cache: &Path) -> Result<(), Problem> {
    let (token, item, folder) = (token_item(url), cache_item(url), cache_folder(cache, url));
    aside(move || Cache::discard(&folder, &item).and_then(|()| token.delete())).await?
}

/// A secret that has the shape of its kind, so that one of another kind is not sent anywhere.
fn shaped(secret: Secret, kind: SecretKind, pointer: &str) -> Result<Secret, Problem> {
    let secret = Secret::new(secret.expose().trim());
    let wrong = |why: String| Err(Problem::field(pointer, format!("This is no {}: {why}. Copy it again from where it was made.", kind.words())));
    match parse_token(secret.expose()) {
        Ok(parsed) if parsed.kind() == kind => Ok(secret),
        Ok(parsed) => wrong(format!("it is a {}", parsed.kind().words())),
        Err(shape) => wrong(shape.to_string()),
    }
}

/// Keyrings and files are used off the async threads.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Problem::internal("the keyring was interrupted"))
}

#[cfg(test)]
mod tests {
    use patchbay_model::Code;
    use patchbay_vault::{OsEntropy, mint_token};

    use super::*;

    #[test]
    fn servers_have_folders_of_their_own() {
        let folder = |url: &str| cache_folder(Path::new("/c"), &url.parse().unwrap());
        assert_eq!(folder("https://h.example:8443"), Path::new("/c/servers/https___h.example_8443"));
        assert_ne!(folder("http://127.0.0.1:1"), folder("http://127.0.0.1:2"));
        assert_eq!(folder("http://[::1]:1"), Path::new("/c/servers/http______1__1"));
    }

    #[test]
    fn a_secret_of_another_kind_is_told_before_it_is_sent() {
        let access = mint_token(SecretKind::OrganizationAccess, &OsEntropy);
        assert!(shaped(Secret::new(format!(" {}\n", access.expose())), SecretKind::OrganizationAccess, "/token").is_ok());
        for (wrong, words) in [(mint_token(SecretKind::Refresh, &OsEntropy), "it is a refresh token"), (Secret::new("pbo_cut"), "cut off"), (Secret::new(""), "does not begin")] {
            let problem = shaped(wrong, SecretKind::OrganizationAccess, "/token").err().unwrap();
            assert!(problem.code == Code::InvalidField && problem.message.contains(words), "{}", problem.message);
        }
    }
}

//! The loopback listener of the browser route (RFC 8252 section 7.3): one address, one path, one answer, and then it is gone.

use std::net::Ipv4Addr;
use std::time::Duration;

use patchbay_model::{Code, Problem};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use url::Url;

/// Path of every loopback redirect URI.
pub const CALLBACK_PATH: &str = "/oauth/callback";
/// Most bytes of a request; codes and states are far shorter.
const LONGEST_REQUEST: usize = 16 * 1024;
/// Connections that are listened to at once.
const MOST_VISITS: usize = 32;
/// How long one browser connection may take to say what it wants.
const PATIENCE: Duration = Duration::from_secs(10);

/// The page that the person's browser shows at the end. The outcome stands in the application, which checks the answer
/// first: this page must not say more than that it came.
const PAGE: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Patchbay</title><style>body{font:1rem/1.5 system-ui,sans-serif;margin:4rem auto;max-width:32rem;padding:0 1rem;color-scheme:light dark}</style><h1>Back to Patchbay</h1><p>The answer of the provider has arrived. You can close this page; Patchbay shows the outcome.</p></html>";

/// A listener that waits for one callback.
pub struct Loopback {
    listener: TcpListener,
    redirect_uri: Url,
}

impl Loopback {
    /// Listens on 127.0.0.1, on `port` where the provider demands an exact redirect URI, else on a free one.
    ///
    /// # Errors
    /// `internal` when the port cannot be had.
    pub async fn bind(port: Option<u16>) -> Result<Self, Problem> {
        let taken = |error: std::io::Error| {
            Problem::internal(format_args!(
                "no address for the provider's answer could be opened on 127.0.0.1{} ({error}); close the program that uses it",
                port.map_or(String::new(), |port| format!(":{port}"))
            ))
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port.unwrap_or(0))).await.map_err(taken)?;
        let address = listener.local_addr().map_err(taken)?;
        let redirect_uri = Url::parse(&format!("http://{address}{CALLBACK_PATH}")).map_err(Problem::internal)?;
        Ok(Self { listener, redirect_uri })
    }

    /// The redirect URI to begin the consent with.
    pub fn redirect_uri(&self) -> &Url {
        &self.redirect_uri
    }

    /// Waits for the browser to come back and gives the whole callback URL, for [`super::finish`]. Requests for other paths
    /// get 404 and do not end the wait. The listener closes when this returns or is dropped.
    ///
    /// # Errors
    /// `consent_expired` when nobody came in time.
    pub async fn wait(self, at_most: Duration) -> Result<Url, Problem> {
        let arrived = async {
            // Browsers open connections ahead of need, so one that says nothing must not hold up the one that does.
            let mut visits = JoinSet::new();
            loop {
                tokio::select! {
                    visit = self.listener.accept() => match visit {
                        Ok((stream, _)) if visits.len() < MOST_VISITS => {
                            visits.spawn(tokio::time::timeout(PATIENCE, answer(stream, self.redirect_uri.clone())));
                        }
                        Ok(_) => {}
                        Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                    },
                    Some(visit) = visits.join_next() => {
                        if let Ok(Ok(Some(url))) = visit {
                            return url;
                        }
                    }
                }
            }
        };
        tokio::time::timeout(at_most, arrived).await.map_err(|_| Problem::new(Code::ConsentExpired, "Nobody came back from the provider in time. Begin the consent again."))
    }
}

/// Reads one request; gives the callback's URL when it is one.
async fn answer(mut stream: TcpStream, redirect_uri: Url) -> Option<Url> {
    let mut request = Vec::with_capacity(1024);
    while !request.windows(4).any(|window| window == b"\r\n\r\n") {
        if request.len() >= LONGEST_REQUEST || stream.read_buf(&mut request).await.ok()? == 0 {
            return None;
        }
    }
    let line = std::str::from_utf8(request.split(|byte| *byte == b'\r').next()?).ok()?;
    let url = match line.split(' ').collect::<Vec<_>>().as_slice() {
        ["GET", target, "HTTP/1.1" | "HTTP/1.0"] => callback(redirect_uri, target),
        _ => None,
    };
    let (status, page) = if url.is_some() { ("200 OK", PAGE) } else { ("404 Not Found", "") };
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\ncache-control: no-store\r\nreferrer-policy: no-referrer\r\ncontent-security-policy: default-src 'none'; style-src 'unsafe-inline'\r\nconnection: close\r\n\r\n{page}",
        page.len()
    );
    // The code has arrived: whether the browser gets to show the page changes nothing.
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
    url
}

/// The URL of a request for our path with an answer in it. A browser's request for an icon, or a bare visit, is none.
fn callback(mut redirect_uri: Url, target: &str) -> Option<Url> {
    let (path, query) = target.split_once('?')?;
    if path != CALLBACK_PATH || query.is_empty() {
        return None;
    }
    redirect_uri.set_query(Some(query));
    Some(redirect_uri)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn get(to: &Url, target: &str) -> String {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, to.port().unwrap())).await.unwrap();
        stream.write_all(format!("GET {target} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn one_callback_is_taken_and_the_port_is_given_back() {
        let loopback = Loopback::bind(None).await.unwrap();
        let uri = loopback.redirect_uri().clone();
        let waiting = tokio::spawn(loopback.wait(Duration::from_secs(5)));
        let _silent = TcpStream::connect((Ipv4Addr::LOCALHOST, uri.port().unwrap())).await.unwrap();
        assert!(get(&uri, "/favicon.ico").await.starts_with("HTTP/1.1 404"), "another path does not end the wait");
        assert!(get(&uri, "/oauth/callback").await.starts_with("HTTP/1.1 404"), "a bare visit does not end the wait");
        assert!(get(&uri, "/oauth/callbackx?code=1").await.starts_with("HTTP/1.1 404"), "a longer path does not end the wait");
        let page = get(&uri, "/oauth/callback?code=c&state=s").await;
        assert!(page.starts_with("HTTP/1.1 200") && page.contains("Back to Patchbay") && !page.contains("code=c"), "{page}");
        assert_eq!(waiting.await.unwrap().unwrap().as_str(), format!("{uri}?code=c&state=s"));
        assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, uri.port().unwrap())).await.is_err(), "the listener is gone");
    }

    #[tokio::test]
    async fn nobody_coming_is_told() {
        let problem = Loopback::bind(None).await.unwrap().wait(Duration::from_millis(20)).await.unwrap_err();
        assert_eq!(problem.code, Code::ConsentExpired);
    }

    #[tokio::test]
    async fn a_port_in_use_is_told() {
        let first = Loopback::bind(None).await.unwrap();
        let problem = Loopback::bind(first.redirect_uri().port()).await.err().unwrap();
        assert!(problem.message.contains("close the program"), "{}", problem.message);
    }
}

//! The loopback listener of the browser route (RFC 8252 section 7.3): one address, one path, one answer, and then it is gone.
//! The person sets out from it too: the browser that did is given a cookie, and only an answer that brings it is taken.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use patchbay_model::{Code, Context, Problem};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use url::{Host, Url};

use super::leg::BrowserNonce;

/// Path of a loopback redirect URI where none is registered.
pub const CALLBACK_PATH: &str = "/oauth/callback";
/// Where the person sets out; the rest of the path is nobody else's to know.
const START_PATH: &str = "/start/";
/// Most bytes of a request; codes and states are far shorter.
const LONGEST_REQUEST: usize = 16 * 1024;
/// Connections that are listened to at once.
const MOST_VISITS: usize = 32;
/// How long one browser connection may take to say what it wants.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often another port is tried that both families have free.
const ATTEMPTS: usize = 20;

/// The page that the person's browser shows at the end. The outcome stands in the application, which checks the answer
/// first: this page must not say more than that it came.
const ARRIVED: &str = "<h1>Back to Patchbay</h1><p>The answer of the provider has arrived. You can close this page; Patchbay shows the outcome.</p>";
/// The page for a browser that did not set out from here.
const STRANGER: &str = "<h1>Begun in another browser</h1><p>This answer was not taken, because the consent was not begun in this browser. Go on in the browser in which you began, or copy the link of Patchbay into this one and begin there.</p>";

/// A listener that waits for one callback.
pub struct Loopback {
    listeners: Vec<TcpListener>,
    site: Site,
}

/// What the listener knows of itself.
struct Site {
    redirect_uri: Url,
    start: BrowserNonce,
    browser: BrowserNonce,
}

impl Loopback {
    /// Listens at the address of `registered`: at its host (both 127.0.0.1 and [::1] where that is `localhost`, RFC 8252 section
    /// 8.3), at its path, and, unless any port will do, at its port.
    ///
    /// # Errors
    /// `internal` when the port cannot be had, or the address is none of this machine.
    pub async fn bind(context: &Context, registered: &Url, any_port: bool) -> Result<Self, Problem> {
        let addresses: Vec<IpAddr> = match registered.host() {
            Some(Host::Ipv4(address)) if address.is_loopback() => vec![address.into()],
            Some(Host::Ipv6(address)) if address.is_loopback() => vec![address.into()],
            Some(Host::Domain("localhost")) => vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
            _ => return Err(Problem::internal(format_args!("{registered} is no address of this machine, so nothing can listen there"))),
        };
        let port = registered.port_or_known_default().filter(|_| !any_port);
        let listeners = listen(&addresses, port).await.map_err(|error| {
            Problem::internal(format_args!(
                "no address for the provider's answer could be opened on {}{} ({error}); close the program that uses it",
                registered.host_str().unwrap_or_default(),
                port.map_or(String::new(), |port| format!(":{port}"))
            ))
        })?;
        let mut redirect_uri = registered.clone();
        let own = listeners.first().map(TcpListener::local_addr).transpose().map_err(Problem::internal)?;
        if redirect_uri.set_port(own.map(|address| address.port())).is_err() {
            return Err(Problem::internal("a loopback address takes no port"));
        }
        Ok(Self { listeners, site: Site { redirect_uri, start: BrowserNonce::new(context), browser: BrowserNonce::new(context) } })
    }

    /// The redirect URI to begin the consent with.
    pub fn redirect_uri(&self) -> &Url {
        &self.site.redirect_uri
    }

    /// Where the person sets out: in whichever browser of this machine, and as often as needed.
    pub fn start_url(&self) -> Url {
        let mut url = self.site.redirect_uri.clone();
        url.set_path(&format!("{START_PATH}{}", self.site.start.expose()));
        url.set_query(None);
        url
    }

    /// Sends whoever sets out to the provider's `page`, waits for the browser to come back, and gives the whole callback URL,
    /// for [`super::finish`]. Requests for other paths get 404 and do not end the wait; neither does an answer that a browser
    /// brings which did not set out here. The listener closes when this returns or is dropped.
    ///
    /// # Errors
    /// `consent_expired` when nobody came in time.
    pub async fn wait(self, page: &Url, at_most: Duration) -> Result<Url, Problem> {
        let Self { listeners, site } = self;
        let site = std::sync::Arc::new((site, page.clone()));
        let arrived = async {
            // Browsers open connections ahead of need, so one that says nothing must not hold up the one that does.
            let mut visits = JoinSet::new();
            loop {
                tokio::select! {
                    visit = accept(&listeners) => match visit {
                        Ok(stream) if visits.len() < MOST_VISITS => {
                            let site = site.clone();
                            visits.spawn(tokio::time::timeout(PATIENCE, async move { answer(stream, &site.0, &site.1).await }));
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

/// One listener for each address, all at one port. An address family that this machine does not have is left out; a port that
/// somebody else has is not, since that one could take the answer.
async fn listen(addresses: &[IpAddr], port: Option<u16>) -> std::io::Result<Vec<TcpListener>> {
    let mut attempt = 0;
    'again: loop {
        attempt += 1;
        let mut listeners: Vec<TcpListener> = Vec::new();
        for address in addresses {
            let known = listeners.first().map(|first| first.local_addr().map(|at| at.port())).transpose()?;
            match TcpListener::bind((*address, port.or(known).unwrap_or(0))).await {
                Ok(listener) => listeners.push(listener),
                Err(error) if matches!(error.kind(), ErrorKind::AddrNotAvailable | ErrorKind::Unsupported) && addresses.len() > 1 => {}
                Err(error) if error.kind() == ErrorKind::AddrInUse && port.is_none() && attempt < ATTEMPTS => continue 'again,
                Err(error) => return Err(error),
            }
        }
        return if listeners.is_empty() { Err(ErrorKind::AddrNotAvailable.into()) } else { Ok(listeners) };
    }
}

/// The next connection at any of one or two listeners.
async fn accept(listeners: &[TcpListener]) -> std::io::Result<TcpStream> {
    match listeners {
        [one, other] => {
            tokio::select! {
                visit = one.accept() => visit,
                visit = other.accept() => visit,
            }
        }
        [one, ..] => one.accept().await,
        [] => std::future::pending().await,
    }
    .map(|(stream, _)| stream)
}

/// Reads one request; gives the callback's URL when it is one.
async fn answer(mut stream: TcpStream, site: &Site, page: &Url) -> Option<Url> {
    let mut request = Vec::with_capacity(1024);
    while !request.windows(4).any(|window| window == b"\r\n\r\n") {
        if request.len() >= LONGEST_REQUEST || stream.read_buf(&mut request).await.ok()? == 0 {
            return None;
        }
    }
    let text = std::str::from_utf8(&request).ok()?;
    let mut lines = text.split("\r\n");
    let target = match lines.next()?.split(' ').collect::<Vec<_>>().as_slice() {
        ["GET", target, "HTTP/1.1" | "HTTP/1.0"] => *target,
        _ => "",
    };
    let (reply, url) = site.reply(target, lines, page);
    // The code has arrived: whether the browser gets to show the page changes nothing.
    let _ = stream.write_all(reply.as_bytes()).await;
    let _ = stream.shutdown().await;
    url
}

impl Site {
    fn reply<'a>(&self, target: &str, headers: impl Iterator<Item = &'a str>, page: &Url) -> (String, Option<Url>) {
        if target.strip_prefix(START_PATH).is_some_and(|given| given == self.start.expose()) {
            // Lax, since the provider sends the person back from its own site.
            let cookie = format!("set-cookie: {}={}; Path=/; HttpOnly; SameSite=Lax\r\n", self.cookie_name(), self.browser.expose());
            return (reply("303 See Other", &format!("location: {page}\r\n{cookie}"), ""), None);
        }
        match self.callback(target) {
            None => (reply("404 Not Found", "", ""), None),
            Some(url) if self.knows(headers) => (reply("200 OK", "", ARRIVED), Some(url)),
            Some(_) => (reply("400 Bad Request", "", STRANGER), None),
        }
    }

    /// The URL of a request for our path with an answer in it. A browser's request for an icon, or a bare visit, is none.
    fn callback(&self, target: &str) -> Option<Url> {
        let (path, query) = target.split_once('?')?;
        if path != self.redirect_uri.path() || query.is_empty() {
            return None;
        }
        let mut url = self.redirect_uri.clone();
        url.set_query(Some(query));
        Some(url)
    }

    /// Whether the browser set out from here.
    fn knows<'a>(&self, mut headers: impl Iterator<Item = &'a str>) -> bool {
        let (name, value) = (self.cookie_name(), self.browser.expose());
        headers.any(|line| {
            let Some((header, cookies)) = line.split_once(':') else { return false };
            header.eq_ignore_ascii_case("cookie") && cookies.split(';').any(|cookie| cookie.trim().split_once('=') == Some((&name, value)))
        })
    }

    /// The port is in it, since browsers share cookies between the ports of a host.
    fn cookie_name(&self) -> String {
        format!("patchbay_start_{}", self.redirect_uri.port_or_known_default().unwrap_or_default())
    }
}

fn reply(status: &str, headers: &str, body: &str) -> String {
    let page = if body.is_empty() {
        String::new()
    } else {
        format!(
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Patchbay</title><style>body{{font:1rem/1.5 system-ui,sans-serif;margin:4rem auto;max-width:32rem;padding:0 1rem;color-scheme:light dark}}</style>{body}</html>"
        )
    };
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\n{headers}cache-control: no-store\r\nreferrer-policy: no-referrer\r\ncontent-security-policy: default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'\r\nx-content-type-options: nosniff\r\nconnection: close\r\n\r\n{page}",
        page.len()
    )
}

#[cfg(test)]
mod tests {
    use patchbay_vault::system_context;

    use super::*;

    fn at(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn page() -> Url {
        at("https://login.example.com/authorize?state=s")
    }

    async fn bound(registered: &str) -> Loopback {
        Loopback::bind(&system_context(), &at(registered), true).await.unwrap()
    }

    async fn get(host: IpAddr, to: &Url, target: &str, cookie: &str) -> String {
        let mut stream = TcpStream::connect((host, to.port().unwrap())).await.unwrap();
        stream.write_all(format!("GET {target} HTTP/1.1\r\nhost: x\r\nCookie: a=b; {cookie}\r\n\r\n").as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    /// The cookie that an answer gives.
    fn cookie_of(answer: &str) -> String {
        answer.split("set-cookie: ").nth(1).unwrap().split(';').next().unwrap().to_owned()
    }

    #[tokio::test]
    async fn one_callback_is_taken_and_the_port_is_given_back() {
        let loopback = bound("http://127.0.0.1/oauth/callback").await;
        let (uri, start) = (loopback.redirect_uri().clone(), loopback.start_url());
        let here = IpAddr::from(Ipv4Addr::LOCALHOST);
        let waiting = tokio::spawn(async move { loopback.wait(&page(), Duration::from_secs(5)).await });
        let _silent = TcpStream::connect((here, uri.port().unwrap())).await.unwrap();
        for other in ["/favicon.ico", "/oauth/callback", "/oauth/callbackx?code=1", "/start/", "/start/x", "/?code=1"] {
            assert!(get(here, &uri, other, "").await.starts_with("HTTP/1.1 404"), "{other} does not end the wait");
        }
        let away = get(here, &uri, start.path(), "").await;
        assert!(away.starts_with("HTTP/1.1 303") && away.contains("location: https://login.example.com/authorize?state=s\r\n"), "{away}");
        for stranger in ["", "patchbay_start=x", &cookie_of(&away).replace('=', "=x")] {
            let refused = get(here, &uri, "/oauth/callback?code=evil&state=s", stranger).await;
            assert!(refused.starts_with("HTTP/1.1 400") && refused.contains("another browser"), "{refused}");
        }
        let again = get(here, &uri, start.path(), "").await;
        assert_eq!(cookie_of(&again), cookie_of(&away), "whoever has the address may set out in another browser too");
        let page = get(here, &uri, "/oauth/callback?code=c&state=s", &cookie_of(&away)).await;
        assert!(page.starts_with("HTTP/1.1 200") && page.contains("Back to Patchbay") && !page.contains("code=c"), "{page}");
        assert_eq!(waiting.await.unwrap().unwrap().as_str(), format!("{uri}?code=c&state=s"));
        assert!(TcpStream::connect((here, uri.port().unwrap())).await.is_err(), "the listener is gone");
    }

    #[tokio::test]
    async fn localhost_is_listened_to_in_both_families() {
        let loopback = bound("http://localhost/cb").await;
        let uri = loopback.redirect_uri().clone();
        assert_eq!((uri.host_str(), uri.path()), (Some("localhost"), "/cb"));
        let families: Vec<IpAddr> = loopback.listeners.iter().map(|listener| listener.local_addr().unwrap().ip()).collect();
        let start = loopback.start_url();
        let waiting = tokio::spawn(async move { loopback.wait(&page(), Duration::from_secs(5)).await });
        assert!(families.contains(&Ipv4Addr::LOCALHOST.into()));
        for family in &families {
            assert!(get(*family, &uri, start.path(), "").await.starts_with("HTTP/1.1 303"), "{family}");
        }
        let last = *families.last().unwrap();
        let cookie = cookie_of(&get(last, &uri, start.path(), "").await);
        assert!(get(last, &uri, "/cb?code=c", &cookie).await.starts_with("HTTP/1.1 200"));
        assert_eq!(waiting.await.unwrap().unwrap().as_str(), format!("{uri}?code=c"));
    }

    #[tokio::test]
    async fn nobody_coming_is_told() {
        let problem = bound("http://127.0.0.1/oauth/callback").await.wait(&page(), Duration::from_millis(20)).await.unwrap_err();
        assert_eq!(problem.code, Code::ConsentExpired);
    }

    #[tokio::test]
    async fn a_port_in_use_and_another_machine_are_told() {
        let first = bound("http://127.0.0.1/oauth/callback").await;
        let bind = async |registered: &Url| Loopback::bind(&system_context(), registered, false).await.err().unwrap().message;
        let taken = bind(first.redirect_uri()).await;
        assert!(taken.contains("close the program"), "{taken}");
        for elsewhere in ["http://192.0.2.1:80/cb", "http://patchbay.example.com/cb", "http://localhost.example.com/cb", "http://0.0.0.0/cb"] {
            let refused = bind(&at(elsewhere)).await;
            assert!(refused.contains("no address of this machine"), "{refused}");
        }
    }
}

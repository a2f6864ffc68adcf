//! Where a store lies, when it is not a file: a PostgreSQL database, or another Patchbay.
//!
//! Neither address ever shows a password. What is shown, compared and remembered is the address without it.

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

use crate::{Code, Problem, Secret};

/// Longest address that is read.
const LONGEST: usize = 2000;

/// `postgres://USER[:PASSWORD]@HOST[:PORT]/DATABASE[?sslmode=..]`: a PostgreSQL database. Two addresses that differ in nothing
/// but the password are equal, since they name the same store.
#[derive(Clone)]
pub struct PostgresUrl {
    /// Without password.
    url: Url,
    password: Option<Secret>,
    /// As whom sealed values are reached, where that is another login.
    second: Option<Box<PostgresUrl>>,
}

impl PostgresUrl {
    /// The whole address with its password, for the database driver and for nobody else.
    pub fn connection_string(&self) -> Secret {
        let mut url = self.url.clone();
        if let Some(password) = &self.password {
            // Where there is no host, as with a socket's folder in the query, the password has no other place than there.
            if url.set_password(Some(password.expose())).is_err() {
                url.query_pairs_mut().append_pair("password", password.expose());
            }
        }
        Secret::new(String::from(url))
    }

    /// The address without its password, as it is shown.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The password, where one was given.
    pub fn password(&self) -> Option<&Secret> {
        self.password.as_ref()
    }

    /// The same address with this password.
    #[must_use]
    pub fn with_password(mut self, password: Option<Secret>) -> Self {
        self.password = password;
        self
    }

    /// The same database with a second login, for what opens sealed values: then the database itself keeps the two apart.
    #[must_use]
    pub fn with_second_login(mut self, second: Option<Self>) -> Self {
        self.second = second.map(Box::new);
        self
    }

    /// The address with the second login, where there is one.
    pub fn second_login(&self) -> Option<&Self> {
        self.second.as_deref()
    }

    /// The role that signs in, where the address names one.
    pub fn user(&self) -> Option<String> {
        let named = self.url.query_pairs().find(|(name, _)| name == "user").map(|(_, value)| value.into_owned());
        let user = self.url.username();
        named.or_else(|| (!user.is_empty()).then(|| decoded(user)))
    }

    /// The database, where the address names one.
    pub fn database(&self) -> Option<String> {
        let path = self.url.path().trim_start_matches('/');
        (!path.is_empty()).then(|| decoded(path))
    }
}

impl PartialEq for PostgresUrl {
    fn eq(&self, other: &Self) -> bool {
        self.url == other.url
    }
}

impl Eq for PostgresUrl {}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.url.fmt(f)
    }
}

impl FromStr for PostgresUrl {
    type Err = Problem;

    // The address is never repeated in a problem: there may be a password in it.
    fn from_str(text: &str) -> Result<Self, Problem> {
        let wrong = |why: &str| Problem::new(Code::InvalidField, format!("{why} Write it as postgres://USER@HOST:PORT/DATABASE."));
        if text.len() > LONGEST {
            return Err(wrong("The address of the PostgreSQL database is too long."));
        }
        let mut url = Url::parse(text)
            .map_err(|_| wrong("The address of the PostgreSQL database cannot be read; characters such as @, / and # in a password are written as %40, %2F and %23."))?;
        if !matches!(url.scheme(), "postgres" | "postgresql") {
            return Err(wrong("This is not the address of a PostgreSQL database."));
        }
        if url.fragment().is_some() {
            return Err(wrong("The address of the PostgreSQL database has a # in it; in a password it is written as %23."));
        }
        let mut password = url.password().filter(|password| !password.is_empty()).map(|password| Secret::new(decoded(password)));
        // The one thing that fails here is an address without host, which has no password either.
        let _ = url.set_password(None);
        if url.query().is_some() {
            let mut kept = Vec::new();
            for (name, value) in url.query_pairs() {
                match name.as_ref() {
                    "password" => password = Some(Secret::new(value.into_owned())),
                    "sslpassword" => return Err(wrong("The address of the PostgreSQL database must not hold the password of a TLS key; use a key without one.")),
                    _ => kept.push((name.into_owned(), value.into_owned())),
                }
            }
            url.set_query(None);
            if !kept.is_empty() {
                url.query_pairs_mut().extend_pairs(kept);
            }
        }
        Ok(Self { url, password, second: None })
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let hex = after.get(..2).filter(|_| byte == b'%').and_then(|digits| std::str::from_utf8(digits).ok()).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match hex {
            Some(value) => {
                bytes.push(value);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// `https://HOST[:PORT]`: another Patchbay. `http://` is taken for loopback addresses only, since a token would cross the network
/// in clear.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct RemoteUrl(Url);

impl RemoteUrl {
    /// The address of a route.
    ///
    /// # Errors
    /// `internal` for a path that is none.
    pub fn route(&self, path: &str) -> Result<Url, Problem> {
        self.0.join(path).map_err(|error| Problem::internal(format_args!("the route {path} is no address ({error})")))
    }

    /// Host, and port where it is not the scheme's own.
    pub fn host(&self) -> String {
        let host = self.0.host_str().unwrap_or_default();
        self.0.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// Whether what is sent is encrypted; loopback may do without.
    pub fn is_encrypted(&self) -> bool {
        self.0.scheme() == "https"
    }
}

impl fmt::Display for RemoteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.origin().ascii_serialization())
    }
}

impl FromStr for RemoteUrl {
    type Err = Problem;

    // The address is not repeated in a problem: somebody may have put a token into it.
    fn from_str(text: &str) -> Result<Self, Problem> {
        let wrong = |why: &str| Err(Problem::new(Code::InvalidField, format!("{why} Write it as https://HOST, for example https://patchbay.example.com.")));
        let Some(url) = Url::parse(text.trim()).ok().filter(|url| text.len() <= LONGEST && url.host().is_some()) else {
            return wrong("The address of the Patchbay server cannot be read.");
        };
        let loopback = match url.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        };
        match url.scheme() {
            "https" => {}
            "http" if loopback => {}
            "http" => return wrong("Plain http would send the token over the network in clear, so it is taken for this machine alone."),
            _ => return wrong("This is not the address of a Patchbay server."),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return wrong("The address of a Patchbay server holds no user name and no token; the token is given by itself.");
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return wrong("The address of a Patchbay server ends with its host or port.");
        }
        Ok(Self(url))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_taken_out_of_an_address_and_put_back_for_the_driver_alone() {
        let url: PostgresUrl = "postgres://ada:p%40ss%2Fw%23rd@db.example:5433/patchbay?sslmode=verify-full".parse().unwrap();
        assert_eq!(url.to_string(), "postgres://ada@db.example:5433/patchbay?sslmode=verify-full");
        assert_eq!(format!("{url:?}"), url.to_string());
        assert_eq!(url.password().unwrap().expose(), "p@ss/w#rd");
        assert_eq!(url.connection_string().expose(), "postgres://ada:p%40ss%2Fw%23rd@db.example:5433/patchbay?sslmode=verify-full");
        assert_eq!((url.user().as_deref(), url.database().as_deref()), (Some("ada"), Some("patchbay")));
        assert_eq!(url, url.clone().with_password(None), "the password names no store");
        let in_query: PostgresUrl = "postgresql:///patchbay?host=%2Frun%2Fpg&user=ada&password=se%26cret".parse().unwrap();
        assert!(!in_query.to_string().contains("cret"), "{in_query}");
        assert_eq!((in_query.user().as_deref(), in_query.password().unwrap().expose()), (Some("ada"), "se&cret"));
        let again: PostgresUrl = in_query.connection_string().expose().parse().unwrap();
        assert_eq!(again.password().unwrap().expose(), "se&cret");
        assert_eq!(again, in_query);
    }

    #[test]
    fn what_is_no_database_is_refused_without_repeating_it() {
        for bad in ["postgres://u:hunter2@h:port/d", "mysql://u:hunter2@h/d", "postgres://u:hunter2#x@h/d", "postgres://h/d?sslpassword=hunter2", "postgres"] {
            let problem = bad.parse::<PostgresUrl>().unwrap_err();
            assert!(problem.code == Code::InvalidField && !problem.message.contains("hunter2"), "{}", problem.message);
        }
    }

    #[test]
    fn a_server_is_reached_encrypted_or_on_this_machine() {
        for (good, shown) in [
            ("https://patchbay.example.com", "https://patchbay.example.com"),
            ("https://patchbay.example.com:8443/", "https://patchbay.example.com:8443"),
            ("https://PATCHBAY.example.com:443", "https://patchbay.example.com"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("http://localhost:8080", "http://localhost:8080"),
        ] {
            assert_eq!(good.parse::<RemoteUrl>().unwrap().to_string(), shown);
        }
        for bad in [
            "http://patchbay.example.com",
            "http://10.0.0.1",
            "http://localhost.example.com",
            "https://pbo_token@patchbay.example.com",
            "https://patchbay.example.com/path",
            "https://patchbay.example.com/?token=pbo_token",
            "https://patchbay.example.com/#pbo_token",
            "ftp://patchbay.example.com",
            "https://",
            "patchbay.example.com",
        ] {
            let problem = bad.parse::<RemoteUrl>().unwrap_err();
            assert!(problem.code == Code::InvalidField && !problem.message.contains("pbo_token"), "{bad}: {}", problem.message);
        }
        let url: RemoteUrl = "https://h.example:8443".parse().unwrap();
        assert_eq!((url.host().as_str(), url.route("/rpc").unwrap().as_str()), ("h.example:8443", "https://h.example:8443/rpc"));
    }
}

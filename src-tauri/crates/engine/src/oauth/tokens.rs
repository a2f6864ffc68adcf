//! Sets of tokens: what one authorization gave, each token with clocks of its own.

use std::collections::BTreeMap;
use std::time::Duration;

use patchbay_model::deadline::{Clock, ClockKind};
use patchbay_model::{Problem, Secret, Timestamp};
use serde::{Deserialize, Serialize};

/// Name of the token that requests carry where nothing else is said.
pub(crate) const MAIN: &str = "main";

/// How it is known when an access token ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Expiry {
    /// The answer said it.
    #[default]
    Told,
    /// The access token, a JWT, says it of itself.
    Jwt,
    /// Nobody said it: the manifest's figure is assumed.
    Assumed,
    /// It has no end, as far as the provider's documentation goes.
    NonExpiring,
}

/// One token with what renews it.
#[derive(Clone, Deserialize)]
pub(crate) struct Token {
    /// Goes with requests.
    #[serde(rename = "access_token")]
    pub(crate) access: Secret,
    /// Gets the next one.
    #[serde(default, rename = "refresh_token")]
    pub(crate) refresh: Option<Secret>,
    /// What was granted, where the provider said it.
    #[serde(default)]
    pub(crate) scope: Option<String>,
    /// When it came.
    pub(crate) obtained: Timestamp,
    /// When the access token ends.
    pub(crate) expires: Timestamp,
    /// How that is known.
    #[serde(default)]
    pub(crate) expiry: Expiry,
    /// When the refresh token ends if it is not used.
    #[serde(default)]
    pub(crate) refresh_expires: Option<Timestamp>,
    /// When everything ends, whatever is done.
    #[serde(default)]
    pub(crate) absolute_expires: Option<Timestamp>,
}

/// What a person's authorization gave. The plain text of an `o_auth_user` credential is this as JSON: the main token on top, as
/// Patchbay wrote it before there were others, so that an older server reads it.
#[derive(Clone)]
pub(crate) struct TokenSet {
    /// The one that requests carry.
    pub(crate) main: Token,
    /// Others, by the names that the manifest gives them.
    pub(crate) more: BTreeMap<String, Token>,
    /// What came beside the tokens and is secret.
    pub(crate) kept: BTreeMap<String, Secret>,
}

/// What lies beside the main token.
#[derive(Deserialize)]
struct Beside {
    #[serde(default)]
    more: BTreeMap<String, Token>,
    #[serde(default)]
    kept: BTreeMap<String, Secret>,
}

/// The same for writing; a [`Secret`] does not let itself be written.
#[derive(Serialize)]
struct Written<'a> {
    access_token: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
    obtained: Timestamp,
    expires: Timestamp,
    expiry: Expiry,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_expires: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    absolute_expires: Option<Timestamp>,
}

#[derive(Serialize)]
struct WrittenSet<'a> {
    #[serde(flatten)]
    main: Written<'a>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    more: BTreeMap<&'a str, Written<'a>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    kept: BTreeMap<&'a str, &'a str>,
}

impl Token {
    fn written(&self) -> Written<'_> {
        Written {
            access_token: self.access.expose(),
            refresh_token: self.refresh.as_ref().map(Secret::expose),
            scope: self.scope.as_deref(),
            obtained: self.obtained,
            expires: self.expires,
            expiry: self.expiry,
            refresh_expires: self.refresh_expires,
            absolute_expires: self.absolute_expires,
        }
    }

    /// From when on it should be renewed: after two thirds of its life, and at least a minute before its end where it
    /// lives long enough for that. What cannot be renewed is due at its end, and what has no end never by itself.
    pub(crate) fn due(&self) -> Timestamp {
        if self.expiry == Expiry::NonExpiring || self.refresh.is_none() {
            return self.expires;
        }
        let life = self.expires.since(self.obtained);
        let two_thirds = self.obtained.plus(life.mul_f64(2.0 / 3.0));
        two_thirds.min(self.expires.minus(Duration::from_secs(60).min(life / 3)))
    }

    /// When the access token ends by itself; none where it has no end.
    pub(crate) fn end(&self) -> Option<Timestamp> {
        (self.expiry != Expiry::NonExpiring).then_some(self.expires)
    }

    /// Whether the access token is of use at `now`, with a little time for the request to arrive.
    pub(crate) fn usable(&self, now: Timestamp) -> bool {
        self.expiry == Expiry::NonExpiring || now < self.expires.minus(Duration::from_secs(5).min(self.expires.since(self.obtained) / 10))
    }

    /// This token after the one before it: what an answer leaves out stays as it was (RFC 6749 sections 5.1 and 6).
    #[must_use]
    fn after(self, before: &Self) -> Self {
        let same = self.refresh.is_none();
        Self {
            refresh: self.refresh.or_else(|| before.refresh.clone()),
            scope: self.scope.or_else(|| before.scope.clone()),
            refresh_expires: self.refresh_expires.or(before.refresh_expires.filter(|_| same)),
            absolute_expires: self.absolute_expires.or(before.absolute_expires),
            ..self
        }
    }
}

impl TokenSet {
    /// Reads what [`Self::to_secret`] wrote.
    ///
    /// # Errors
    /// `internal` when the sealed value is something else.
    pub(crate) fn from_secret(secret: &Secret) -> Result<Self, Problem> {
        // The parser's own words could quote the value. It is read twice, because flattening would leave copies of it in memory.
        let other = || Problem::internal("a sealed set of tokens has another form than Patchbay writes");
        let main = serde_json::from_str(secret.expose()).map_err(|_| other())?;
        let Beside { more, kept } = serde_json::from_str(secret.expose()).map_err(|_| other())?;
        Ok(Self { main, more, kept })
    }

    /// The plain text to seal.
    ///
    /// # Errors
    /// Never in practice.
    pub(crate) fn to_secret(&self) -> Result<Secret, Problem> {
        let written = WrittenSet {
            main: self.main.written(),
            more: self.more.iter().map(|(name, token)| (name.as_str(), token.written())).collect(),
            kept: self.kept.iter().map(|(name, value)| (name.as_str(), value.expose())).collect(),
        };
        serde_json::to_string(&written).map(Secret::new).map_err(|_| Problem::internal("a set of tokens could not be written"))
    }

    /// This set, which ends altogether at `end` where its answer did not say when.
    #[must_use]
    pub(crate) fn ending(mut self, end: Option<Timestamp>) -> Self {
        for token in std::iter::once(&mut self.main).chain(self.more.values_mut()).filter(|token| token.refresh.is_some()) {
            token.absolute_expires = token.absolute_expires.or(end);
        }
        self
    }

    /// Every token with its name, the main one first.
    pub(crate) fn tokens(&self) -> impl Iterator<Item = (&str, &Token)> {
        std::iter::once((MAIN, &self.main)).chain(self.more.iter().map(|(name, token)| (name.as_str(), token)))
    }

    /// The token of this name.
    pub(crate) fn token(&self, name: &str) -> Option<&Token> {
        if name == MAIN { Some(&self.main) } else { self.more.get(name) }
    }

    /// This set with another token of this name.
    #[must_use]
    pub(crate) fn having(mut self, name: &str, token: Token) -> Self {
        if name == MAIN {
            self.main = token;
        } else {
            self.more.insert(name.to_owned(), token);
        }
        self
    }

    /// Whether a token of this set is one of another set too: some providers give the same ones to whoever agrees anew.
    pub(crate) fn shares(&self, other: &Self) -> bool {
        let all = |set: &'_ Self| -> Vec<String> {
            set.tokens().flat_map(|(_, token)| std::iter::once(&token.access).chain(&token.refresh)).map(|secret| secret.expose().to_owned()).collect()
        };
        let theirs = all(other);
        all(self).iter().any(|mine| theirs.contains(mine))
    }

    /// This set after an answer to the refresh of the token `name`. An answer that holds no token of that name holds it where the
    /// main one stands: whoever refreshes one of several is answered with that one.
    #[must_use]
    pub(crate) fn renewed(&self, name: &str, mut new: NewTokens) -> Self {
        if name != MAIN
            && !new.tokens.contains_key(name)
            && let Some(token) = new.tokens.remove(MAIN)
        {
            new.tokens.insert(name.to_owned(), token);
        }
        self.merged(new)
    }

    /// This set with the tokens of an answer in place of those before.
    #[must_use]
    pub(crate) fn merged(&self, new: NewTokens) -> Self {
        let mut set = self.clone();
        for (name, token) in new.tokens {
            if name == MAIN {
                set.main = token.after(&self.main);
            } else {
                let token = match self.more.get(&name) {
                    Some(before) => token.after(before),
                    None => token,
                };
                set.more.insert(name, token);
            }
        }
        set.kept.extend(new.secrets);
        set
    }

    /// What of it runs out. An access token that nothing renews is the end of what the person authorized.
    pub(crate) fn clocks(&self) -> Vec<Clock> {
        let clocks = self.tokens().flat_map(|(name, token)| {
            let clock = |kind, at| Clock { token: name.to_owned(), ..Clock::of(kind, at) };
            let renewable = token.refresh.is_some();
            let access = (token.expiry != Expiry::NonExpiring).then(|| clock(if renewable { ClockKind::Access } else { ClockKind::RefreshAbsolute }, token.expires));
            let idle = token.refresh_expires.filter(|_| renewable).map(|at| clock(ClockKind::RefreshIdle, at));
            let absolute = token.absolute_expires.filter(|_| renewable).map(|at| clock(ClockKind::RefreshAbsolute, at));
            [access, idle, absolute]
        });
        clocks.flatten().collect()
    }

    /// Every secret in it.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.tokens().flat_map(|(_, token)| std::iter::once(&token.access).chain(&token.refresh)).chain(self.kept.values())
    }
}

/// What an answer gave.
#[derive(Clone, Default)]
pub(crate) struct NewTokens {
    /// Tokens by name.
    pub(crate) tokens: BTreeMap<String, Token>,
    /// What came beside them and may be shown.
    pub(crate) kept: BTreeMap<String, String>,
    /// What came beside them and is secret.
    pub(crate) secrets: BTreeMap<String, Secret>,
    /// What is odd about it.
    pub(crate) findings: Vec<Finding>,
}

impl NewTokens {
    /// The set that these are the first of.
    pub(crate) fn into_set(mut self) -> Option<TokenSet> {
        let main = self.tokens.remove(MAIN)?;
        Some(TokenSet { main, more: self.tokens, kept: self.secrets })
    }
}

/// What is odd about an answer, although it can be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Finding {
    /// Nothing says when an access token ends, so that so many seconds are assumed.
    NoExpiry {
        /// The name of the token.
        token: String,
        /// What is assumed.
        assumed: u64,
    },
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoExpiry { token, assumed } => write!(f, "the provider does not say when the token `{token}` ends; {assumed} s are assumed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-22T10:00:00Z".parse().unwrap()
    }

    fn token(access: &str, refresh: Option<&str>, life: u64) -> Token {
        Token {
            access: Secret::new(access),
            refresh: refresh.map(Secret::new),
            scope: None,
            obtained: now(),
            expires: now().plus(Duration::from_secs(life)),
            expiry: Expiry::Told,
            refresh_expires: None,
            absolute_expires: None,
        }
    }

    fn given(tokens: impl IntoIterator<Item = (&'static str, Token)>) -> NewTokens {
        NewTokens { tokens: tokens.into_iter().map(|(name, token)| (name.to_owned(), token)).collect(), ..NewTokens::default() }
    }

    #[test]
    fn a_token_is_due_before_it_ends() {
        let at = |life: u64| token("a", Some("r"), life).due();
        assert_eq!(at(3600), now().plus(Duration::from_secs(2400)));
        assert_eq!(at(90), now().plus(Duration::from_secs(60)));
        assert_eq!(at(3), now().plus(Duration::from_secs(2)));
        assert_eq!(token("a", None, 3600).due(), now().plus(Duration::from_secs(3600)), "nothing renews it");
        let short = token("a", Some("r"), 3);
        assert!(short.usable(now()) && !short.usable(now().plus(Duration::from_secs(3))));
        let endless = Token { expiry: Expiry::NonExpiring, ..token("a", None, 3) };
        assert!(endless.usable(now().plus(Duration::from_secs(4))), "whatever was assumed");
    }

    #[test]
    fn an_older_server_finds_the_main_token_where_it_was_and_the_newer_reads_the_older() {
        let mut set = given([(MAIN, token("bot", Some("rb"), 60)), ("user", token("user", Some("ru"), 90))]).into_set().unwrap();
        set.kept.insert("webhook".to_owned(), Secret::new("https://hook.test/x"));
        let plain = set.to_secret().unwrap();
        let json: serde_json::Value = serde_json::from_str(plain.expose()).unwrap();
        assert_eq!((json["access_token"].as_str(), json["refresh_token"].as_str(), json["expires"].as_str()), (Some("bot"), Some("rb"), Some("2026-11-22T10:01:00.000000Z")));
        let read = TokenSet::from_secret(&plain).unwrap();
        assert_eq!((read.main.access.expose(), read.more["user"].refresh.as_ref().unwrap().expose()), ("bot", "ru"));
        assert_eq!(read.secrets().map(Secret::expose).collect::<Vec<_>>(), ["bot", "rb", "user", "ru", "https://hook.test/x"]);
        let older = r#"{"access_token":"a","refresh_token":"r","obtained":"2026-11-22T10:00:00Z","expires":"2026-11-22T11:00:00Z"}"#;
        let read = TokenSet::from_secret(&Secret::new(older)).unwrap();
        assert_eq!((read.main.expiry, read.more.len(), read.main.due()), (Expiry::Told, 0, now().plus(Duration::from_secs(2400))));
        let problem = TokenSet::from_secret(&Secret::new(r#"{"access_token":"PLANTED"}"#)).err().unwrap();
        assert!(!problem.message.contains("PLANTED"), "{}", problem.message);
    }

    #[test]
    fn a_set_tells_what_of_each_token_runs_out() {
        let ahead = |seconds| Some(now().plus(Duration::from_secs(seconds)));
        let main = Token { refresh_expires: ahead(1000), absolute_expires: ahead(9000), ..token("bot", Some("rb"), 60) };
        let endless = Token { expiry: Expiry::NonExpiring, ..token("hook", None, 3) };
        let set = given([(MAIN, main), ("user", token("user", None, 90)), ("hook", endless)]).into_set().unwrap();
        let clocks = set.clocks();
        let ends: Vec<_> = clocks.iter().map(|clock| (clock.token.as_str(), clock.kind, clock.at.since(now()).as_secs())).collect();
        assert_eq!(
            ends,
            [(MAIN, ClockKind::Access, 60), (MAIN, ClockKind::RefreshIdle, 1000), (MAIN, ClockKind::RefreshAbsolute, 9000), ("user", ClockKind::RefreshAbsolute, 90)],
            "nothing renews the second, and the third has no end"
        );
    }

    #[test]
    fn a_refresh_renews_one_token_and_leaves_the_others() {
        let idle = now().plus(Duration::from_secs(1000));
        let user = Token { scope: Some("search".to_owned()), refresh_expires: Some(idle), absolute_expires: Some(idle), ..token("user", Some("ru"), 90) };
        let set = given([(MAIN, token("bot", Some("rb"), 60)), ("user", user)]).into_set().unwrap();
        // Named, or in the place of the main one.
        for answer in [given([("user", token("user2", Some("ru2"), 90))]), given([(MAIN, token("user2", Some("ru2"), 90))])] {
            let next = set.renewed("user", answer);
            let user = &next.more["user"];
            assert_eq!((next.main.access.expose(), user.access.expose(), user.refresh.as_ref().unwrap().expose()), ("bot", "user2", "ru2"));
            assert_eq!((user.scope.as_deref(), user.refresh_expires, user.absolute_expires), (Some("search"), None, Some(idle)), "the new refresh token has a clock of its own");
        }
        let next = set.renewed(MAIN, given([(MAIN, token("bot2", None, 60))]));
        assert_eq!((next.main.access.expose(), next.main.refresh.as_ref().unwrap().expose()), ("bot2", "rb"), "RFC 6749 section 6");
        assert_eq!(next.more["user"].refresh_expires, Some(idle));
    }
}

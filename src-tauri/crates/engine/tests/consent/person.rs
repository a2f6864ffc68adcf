//! A person in a browser, without the browser: signs in and allows or refuses what is asked.

use std::collections::BTreeMap;

use patchbay_model::consent::DevicePrompt;
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use url::Url;

/// Follows the provider's pages and gives the address to which it sends the person back, without visiting that.
pub(crate) async fn consent(authorize_url: &Url, password: &str, allow: bool) -> Url {
    let mut browser = Browser::new();
    match browser.follow(authorize_url.clone(), None, password, allow).await {
        End::Away(back) => back,
        End::Page(page) => panic!("the provider shows no form: {page}"),
    }
}

/// Enters the code of a device at its page, signs in, and allows or refuses what is asked.
pub(crate) async fn enter(prompt: &DevicePrompt, password: &str, allow: bool) {
    let mut browser = Browser::new();
    let here: Url = prompt.verification_uri.parse().unwrap();
    let (_, input) = browser.page(here.clone(), None).await;
    let form = |page: &str, more: &[(&str, &str)]| {
        let xsrf = page.split("name=\"xsrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_else(|| panic!("there is no form for a code: {page}"));
        url::form_urlencoded::Serializer::new(String::new()).append_pair("xsrf", xsrf).append_pair("user_code", &prompt.user_code).extend_pairs(more).finish()
    };
    let (_, confirm) = browser.page(here.clone(), Some(form(&input, &[]))).await;
    assert!(confirm.contains(&prompt.user_code), "the person can compare the code: {confirm}");
    let confirmed = form(&confirm, &[("confirm", "yes")]);
    match browser.follow(here, Some(confirmed), password, allow).await {
        End::Page(page) => assert!(page.contains("connected") == allow, "{page}"),
        End::Away(away) => panic!("a device has no address to come back to: {away}"),
    }
}

/// Where a person ends.
enum End {
    /// At an address of somebody else.
    Away(Url),
    /// On a page that asks nothing more.
    Page(String),
}

struct Browser {
    http: reqwest::Client,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    fn new() -> Self {
        Self { http: reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap(), cookies: BTreeMap::new() }
    }

    /// What is at an address: where it leads, and what it shows.
    async fn page(&mut self, here: Url, form: Option<String>) -> (Option<Url>, String) {
        let request = match form {
            Some(form) => self.http.post(here.clone()).header("content-type", "application/x-www-form-urlencoded").body(form),
            None => self.http.get(here.clone()),
        };
        let jar = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
        let answer = request.header(COOKIE, jar).send().await.unwrap();
        for cookie in answer.headers().get_all(SET_COOKIE) {
            let (name, value) = cookie.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        let to = answer.headers().get(LOCATION).map(|location| here.join(location.to_str().unwrap()).unwrap());
        (to, answer.text().await.unwrap())
    }

    async fn follow(&mut self, from: Url, form: Option<String>, password: &str, allow: bool) -> End {
        let (mut here, mut form) = (from.clone(), form);
        for _ in 0..20 {
            let (to, page) = self.page(here.clone(), form.take()).await;
            if let Some(to) = to {
                here = to;
                if here.authority() != from.authority() {
                    return End::Away(here);
                }
                continue;
            }
            let actions: Vec<&str> = page.split("action=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
            let wanted = |end: &str| actions.iter().find(|action| action.ends_with(end)).copied();
            let Some(action) = wanted("/login").or_else(|| wanted(if allow { "/allow" } else { "/deny" })) else { return End::Page(page) };
            form = Some(if action.ends_with("/login") {
                url::form_urlencoded::Serializer::new(String::new()).append_pair("login", "ada").append_pair("password", password).finish()
            } else {
                String::new()
            });
            here = here.join(action).unwrap();
        }
        panic!("no end to the redirects: {here}");
    }
}

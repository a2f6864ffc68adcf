//! A person in a browser, without the browser: signs in and allows or refuses what is asked.

use std::collections::BTreeMap;

use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use url::Url;

/// Follows the provider's pages and gives the address to which it sends the person back, without visiting that.
pub(crate) async fn consent(authorize_url: &Url, password: &str, allow: bool) -> Url {
    let browser = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let mut cookies: BTreeMap<String, String> = BTreeMap::new();
    let (mut here, mut form): (Url, Option<String>) = (authorize_url.clone(), None);
    for _ in 0..20 {
        let request = match form.take() {
            Some(form) => browser.post(here.clone()).header("content-type", "application/x-www-form-urlencoded").body(form),
            None => browser.get(here.clone()),
        };
        let jar = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
        let answer = request.header(COOKIE, jar).send().await.unwrap();
        for cookie in answer.headers().get_all(SET_COOKIE) {
            let (name, value) = cookie.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
            cookies.insert(name.to_owned(), value.to_owned());
        }
        if let Some(location) = answer.headers().get(LOCATION) {
            here = here.join(location.to_str().unwrap()).unwrap();
            if here.authority() != authorize_url.authority() {
                return here;
            }
            continue;
        }
        let page = answer.text().await.unwrap();
        let actions: Vec<&str> = page.split("action=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let wanted = |end: &str| actions.iter().find(|action| action.ends_with(end)).copied();
        let action = wanted("/login").or_else(|| wanted(if allow { "/allow" } else { "/deny" })).unwrap_or_else(|| panic!("the provider shows no form: {page}"));
        form = Some(if action.ends_with("/login") {
            url::form_urlencoded::Serializer::new(String::new()).append_pair("login", "ada").append_pair("password", password).finish()
        } else {
            String::new()
        });
        here = here.join(action).unwrap();
    }
    panic!("no end to the redirects: {here}");
}

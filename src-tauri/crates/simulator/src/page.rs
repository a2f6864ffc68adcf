//! The pages that a person sees: plain forms with labels, no script, usable with the keyboard alone.

use maud::{DOCTYPE, Markup, html};

/// The name with which a person signs in at every provider of this simulator.
pub const LOGIN: &str = "ada@example.com";
/// The password to it. It is shown on the page.
pub const PASSWORD: &str = "simulated";

fn page(provider: &str, title: &str, content: &Markup) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                title { (title) " - " (provider) " (simulated)" }
                style { "body{font:1rem/1.5 system-ui,sans-serif;max-width:30rem;margin:3rem auto;padding:0 1rem;color-scheme:light dark}label{display:block;margin:.75rem 0 .25rem}input{font:inherit;padding:.4rem;width:100%;box-sizing:border-box}button{font:inherit;min-height:44px;padding:0 1.2rem;margin:1rem .5rem 0 0}.sim{opacity:.75}" }
            }
            body {
                main {
                    h1 { (title) }
                    (content)
                    p.sim { "This is a simulation of " (provider) ". Nothing that is entered here leaves this computer." }
                }
            }
        }
    }
    .into_string()
}

pub(crate) fn sign_in(provider: &str, hidden: &[(&str, &str)], wrong: bool) -> String {
    page(
        provider,
        "Sign in",
        &html! {
            @if wrong { p role="alert" { "Login or password is wrong." } }
            form method="post" {
                @for (name, value) in hidden { input type="hidden" name=(name) value=(value); }
                label for="login" { "Login" }
                input id="login" name="login" autocomplete="username" required;
                label for="password" { "Password" }
                input id="password" name="password" type="password" autocomplete="current-password" required;
                button type="submit" { "Sign in" }
            }
            p.sim { "Login " code { (LOGIN) } ", password " code { (PASSWORD) } }
        },
    )
}

pub(crate) fn allow(provider: &str, client: &str, scopes: &[(String, Option<String>)], hidden: &[(&str, &str)]) -> String {
    page(
        provider,
        "Allow access",
        &html! {
            p { strong { (client) } " wants to act for you at " (provider) "." }
            @if !scopes.is_empty() {
                ul { @for (scope, words) in scopes { li { code { (scope) } @if let Some(words) = words { ": " (words) } } } }
            }
            form method="post" {
                @for (name, value) in hidden { input type="hidden" name=(name) value=(value); }
                button type="submit" name="answer" value="allow" { "Allow" }
                button type="submit" name="answer" value="deny" { "Deny" }
            }
        },
    )
}

pub(crate) fn device(provider: &str, code: &str, wrong: bool) -> String {
    page(
        provider,
        "Enter the code",
        &html! {
            @if wrong { p role="alert" { "Nobody waits with this code, or login and password are wrong." } }
            form method="post" {
                label for="user_code" { "Code" }
                input id="user_code" name="user_code" value=(code) autocomplete="off" required;
                label for="login" { "Login" }
                input id="login" name="login" autocomplete="username" required;
                label for="password" { "Password" }
                input id="password" name="password" type="password" autocomplete="current-password" required;
                button type="submit" name="answer" value="allow" { "Allow" }
                button type="submit" name="answer" value="deny" { "Deny" }
            }
            p.sim { "Login " code { (LOGIN) } ", password " code { (PASSWORD) } }
        },
    )
}

pub(crate) fn notice(provider: &str, title: &str, words: &str) -> String {
    page(provider, title, &html! { p { (words) } })
}

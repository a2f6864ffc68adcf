//! A person who signs in and answers, without a browser: the same forms, filled in.

use url::Url;

use crate::page::{LOGIN, PASSWORD};
use crate::simulator::Simulator;
use crate::wire::{SimAnswer, SimReply, SimRequest};

impl Simulator {
    /// Signs in at an authorization address and answers. Gives the address to which the provider sends the person back.
    ///
    /// # Errors
    /// The page at which it ends otherwise.
    pub fn consent(&self, authorize: &Url, allow: bool) -> Result<Url, String> {
        self.page(&SimRequest::to("GET", authorize))
            .and_then(|answer| match answer.header("location") {
                Some(location) => Ok(Some(back(location)?)),
                None if answer.status == 200 => Ok(None),
                None => Err(text(&answer)),
            })?
            .map_or_else(|| self.signed_in(authorize, allow), Ok)
    }

    fn signed_in(&self, authorize: &Url, allow: bool) -> Result<Url, String> {
        let question = self.page(&SimRequest::to("POST", authorize).form(&[("login", LOGIN), ("password", PASSWORD)]))?;
        let page = text(&question);
        let ticket = page.split_once("name=\"ticket\" value=\"").and_then(|(_, rest)| rest.split_once('"')).map(|(ticket, _)| ticket.to_owned()).ok_or(page)?;
        let answer = self.page(&SimRequest::to("POST", authorize).form(&[("ticket", &ticket), ("answer", if allow { "allow" } else { "deny" })]))?;
        answer.header("location").map_or_else(|| Err(text(&answer)), back)
    }

    /// Enters the code of a device, signs in and answers.
    ///
    /// # Errors
    /// The page at which it ends otherwise.
    pub fn enter(&self, verification: &Url, user_code: &str, allow: bool) -> Result<(), String> {
        let fields = [("user_code", user_code), ("login", LOGIN), ("password", PASSWORD), ("answer", if allow { "allow" } else { "deny" })];
        let answer = self.page(&SimRequest::to("POST", verification).form(&fields))?;
        let page = text(&answer);
        if answer.status == 200 && page.contains("<h1>Done</h1>") { Ok(()) } else { Err(page) }
    }

    fn page(&self, request: &SimRequest) -> Result<SimAnswer, String> {
        match self.answer(request) {
            SimReply::Answer(answer) => Ok(answer),
            other => Err(format!("{other:?}")),
        }
    }
}

fn back(location: &str) -> Result<Url, String> {
    Url::parse(location).map_err(|error| format!("{location}: {error}"))
}

fn text(answer: &SimAnswer) -> String {
    String::from_utf8_lossy(&answer.body).into_owned()
}

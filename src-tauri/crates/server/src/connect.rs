//! The hosted connect pages: what a customer's person sees who opened a link, without being signed in and without the
//! application. They have no script at all; forms and links do everything.

mod form;
mod guard;
mod link;
mod page;
mod progress;
mod receipt;
mod words;

pub(crate) use link::{choose, enter, fill};
pub(crate) use page::{plain, style};
pub(crate) use progress::{again, choose as choose_place, go, see, show as show_session, stop, switch};
pub(crate) use receipt::{show as show_receipt, withdraw};

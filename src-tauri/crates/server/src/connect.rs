//! The hosted connect pages: what a customer's person sees who opened a link, without being signed in and without the
//! application. They have no script at all; forms and links do everything.

mod form;
mod guard;
mod link;
mod page;

pub(crate) use link::{choose, enter, fill};
pub(crate) use page::style;

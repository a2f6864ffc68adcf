//! The hosted connect pages: what a customer's person sees who opened a link, without being signed in and without the
//! application. They have no script at all; forms and links do everything.

mod form;
mod guard;
mod link;
mod page;
mod receipt;

pub(crate) use link::{authorized, choose, enter, fill};
pub(crate) use page::{plain, style};
pub(crate) use receipt::{show as show_receipt, withdraw};

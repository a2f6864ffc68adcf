//! JSON Schemas (draft 2020-12) of the values that travel as plain text. Each says as much of what its `parse` demands as a
//! schema can, since the served OpenAPI is made from it and is tested in both directions: what a schema refuses the server
//! refuses, and what it takes the server does not call malformed.
//!
//! Patterns keep to what ECMA 262, Python and Rust read alike: `\xHH`, look-ahead, no `\u` and no classes of properties.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::name::RESERVED;
use crate::permission::RoleName;
use crate::{Fullname, Label, Name, ProviderId, Secret, Timestamp};

/// A slug as it may be given: upper case is folded, and `~` may stand first ([`Name::parse`]).
const SLUG_GIVEN: &str = "~?[A-Za-z0-9_-]+";
/// A slug as it is answered.
const SLUG: &str = "^~?[a-z0-9_-]+$";
/// A slug, or the e-mail address of a personal member ([`Name::parse_email`]).
const NAME: &str = r"^(~?[a-z0-9_-]+|[^@\s\x00-\x1f\x7f-\x9f]+@[^@\s\x00-\x1f\x7f-\x9f]{3,})$";
/// An e-mail address ([`Name::parse_email`]).
const EMAIL: &str = r"^[^@\s\x00-\x1f\x7f-\x9f]+@[^@\s\x00-\x1f\x7f-\x9f.]+(\.[^@\s\x00-\x1f\x7f-\x9f.]+)+$";
/// At least one character that is not white space, and no control characters ([`Fullname::parse`]).
const FULLNAME: &str = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$";
/// [`Label::parse`].
const LABEL: &str = "^[A-Za-z0-9_:.-]+$";
/// [`ProviderId::parse`].
const PROVIDER: &str = "^[a-z0-9]*_[a-z0-9_]*$";

/// What [`crate::time::parse_lifetime`] reads, but for its most.
const LIFETIME: &str = "^(?=.*[1-9])(?=[0-9])([0-9]{1,5}h)?([0-9]{1,5}m)?([0-9]{1,5}s)?$";
/// Every way in which a UUID can be written; a name must not look like one.
const UUID: &str = "[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}";

/// Schema of a name in a request where it may be left out or empty; then it is derived from the full name, else from the id.
#[derive(Clone, Copy, Debug)]
pub struct NewName;

/// Schema of an e-mail address in a request where an empty one counts as none.
#[derive(Clone, Copy, Debug)]
pub struct NewEmail;

/// Schema of a member's name in a request: an e-mail address, or the slug of a program.
#[derive(Clone, Copy, Debug)]
pub struct MemberName;

/// Schema of a full name in a request where it may be left out or empty; then it is the name.
#[derive(Clone, Copy, Debug)]
pub struct NewFullname;

/// Schema of a lifetime of hours, minutes and seconds, such as `24h` or `1h30m`.
#[derive(Clone, Copy, Debug)]
pub struct Lifetime;

/// Schema of a lifetime in a request where `0s`, as it is answered, or an empty one says that there is no end.
#[derive(Clone, Copy, Debug)]
pub struct LifetimeOrNone;

/// Schema of a reference to an object by its id or, as in paths, by its name.
#[derive(Clone, Copy, Debug)]
pub struct IdOrName;

/// Implements [`JsonSchema`] in place: a schema of one line is clearer where it is used than behind a reference.
macro_rules! plain {
    ($($type:ty = $name:literal, |$generator:ident| $schema:expr;)+) => {$(
        impl JsonSchema for $type {
            fn inline_schema() -> bool { true }
            fn schema_name() -> Cow<'static, str> { $name.into() }
            fn schema_id() -> Cow<'static, str> { concat!(module_path!(), "::", $name).into() }
            fn json_schema($generator: &mut SchemaGenerator) -> Schema { $schema }
        }
    )+};
}

plain! {
    Name = "Name", |generator| if generator.contract().is_serialize() {
        json_schema!({ "type": "string", "minLength": 1, "maxLength": 254, "pattern": NAME })
    } else {
        slug_given(false)
    };
    Fullname = "Fullname", |_generator| json_schema!({ "type": "string", "minLength": 1, "maxLength": Fullname::MAX, "pattern": FULLNAME });
    Label = "Label", |_generator| json_schema!({ "type": "string", "minLength": 1, "maxLength": 48, "pattern": LABEL });
    ProviderId = "ProviderId", |_generator| json_schema!({ "type": "string", "minLength": 3, "maxLength": 80, "pattern": PROVIDER });
    RoleName = "RoleName", |generator| if generator.contract().is_serialize() {
        json_schema!({ "type": "string", "minLength": 1, "maxLength": Name::MAX, "pattern": SLUG })
    } else {
        slug_given(false)
    };
    Timestamp = "Timestamp", |_generator| json_schema!({ "type": "string", "format": "date-time" });
    Secret = "Secret", |_generator| json_schema!({ "type": "string", "format": "password", "writeOnly": true });
    NewName = "NewName", |_generator| slug_given(true);
    NewFullname = "NewFullname", |_generator| json_schema!({
        "type": "string",
        "maxLength": Fullname::MAX,
        "pattern": format!("^$|{FULLNAME}"),
    });
    Lifetime = "Lifetime", |generator| json_schema!({
        "type": "string",
        "pattern": if generator.contract().is_serialize() { "^(?=[0-9])([0-9]+h)?([0-9]+m)?([0-9]+s)?$" } else { LIFETIME },
        "examples": ["24h", "1h30m"],
    });
    MemberName = "MemberName", |_generator| json_schema!({
        "type": "string",
        "minLength": 1,
        "maxLength": 254,
        "pattern": format!("^{SLUG_GIVEN}$|{EMAIL}"),
    });
    LifetimeOrNone = "LifetimeOrNone", |_generator| json_schema!({ "type": "string", "pattern": format!("^$|^0s$|{LIFETIME}") });
    NewEmail = "NewEmail", |_generator| json_schema!({ "type": "string", "maxLength": 254, "pattern": format!("^$|{EMAIL}") });
    IdOrName = "IdOrName", |_generator| json_schema!({ "type": "string", "minLength": 1, "maxLength": 300 });
}

/// The schema of a slug that is given; `empty` where an empty one counts as left out. Words that are parts of paths, and
/// whatever could be taken for an id, are no names.
fn slug_given(empty: bool) -> Schema {
    let reserved = RESERVED.join("|");
    json_schema!({
        "type": "string",
        "minLength": u8::from(!empty),
        "maxLength": Name::MAX,
        "pattern": format!("^(?!({reserved})$)(?!{UUID}$){}$", if empty { format!("({SLUG_GIVEN})?") } else { SLUG_GIVEN.to_owned() }),
    })
}

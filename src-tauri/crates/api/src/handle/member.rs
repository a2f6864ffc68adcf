//! `members.*`

use patchbay_engine::member;
use patchbay_model::{Problem, Timestamp};

use super::{Bare, Call, With, deleted, listed};
use crate::handle::overview::impact_view;
use crate::patch::{self, Writable};
use crate::reply::Deleted;
use crate::request::{Json, ListOf, NoBody, Patch, from_value};
use crate::wire::envelope::{Answer, Listed};
use crate::wire::member::{CreateLink, CreateMember, Member, MemberCreated, MemberLink, NO_END, UpdateMember, unless_never};
use crate::wire::overview::Impact;

const WRITABLE: Writable = Writable { fields: &["name", "fullname", "nickname", "picture", "state", "ttl", "token_ttl", "expires", "pin_expires", "role_binding"], lists: &[] };

pub(crate) async fn list(call: Call<'_, ListOf, NoBody>) -> Result<Listed<Member>, Problem> {
    member::list(call.engine, call.grant, call.query.list).await.map(listed)
}

pub(crate) async fn get(call: Bare<'_>) -> Result<Answer<Member>, Problem> {
    member::get(call.engine, call.grant, call.path("member_id")?).await.map(|member| Answer::of(member.into()))
}

pub(crate) async fn create(call: With<'_, Json<CreateMember>>) -> Result<Answer<MemberCreated>, Problem> {
    let body = call.body.0;
    let options = body.options.unwrap_or_default();
    let new = member::CreateMember {
        name: body.name,
        fullname: body.fullname,
        nickname: body.nickname,
        picture: body.picture,
        secret: body.secret,
        role_binding: body.role_binding.unwrap_or_default(),
        member_type: body.member_type.unwrap_or_default(),
        ttl: options.ttl,
        token_ttl: options.token_ttl,
        options: options.options.unwrap_or_default(),
    };
    member::create(call.engine, call.grant, new).await.map(|member| Answer::of(MemberCreated { member: member.into() }))
}

pub(crate) async fn update(call: With<'_, Json<UpdateMember>>) -> Result<Answer<Member>, Problem> {
    let expected = call.body.0.x_patchbay.as_ref().and_then(|extra| extra.expected_updated_at);
    let change = change(call.body.0, expected);
    member::update(call.engine, call.grant, call.request.path("member_id")?, change).await.map(|member| Answer::of(member.into()))
}

pub(crate) async fn patch(call: With<'_, Patch>) -> Result<Answer<Member>, Problem> {
    let current = Member::from(member::get(call.engine, call.grant, call.path("member_id")?).await?);
    let change = change(from_value(patch::apply(&current, call.body, &WRITABLE)?)?, Some(current.updated_at));
    member::update(call.engine, call.grant, &current.id.to_string(), change).await.map(|member| Answer::of(member.into()))
}

pub(crate) async fn delete(call: Bare<'_>) -> Result<Deleted, Problem> {
    member::delete(call.engine, call.grant, call.path("member_id")?).await.map(deleted)
}

pub(crate) async fn impact(call: Bare<'_>) -> Result<Answer<Impact>, Problem> {
    member::impact(call.engine, call.grant, call.path("member_id")?).await.map(impact_view)
}

pub(crate) async fn unlock(call: Bare<'_>) -> Result<Answer<Member>, Problem> {
    member::unlock(call.engine, call.grant, call.path("member_id")?).await.map(|member| Answer::of(member.into()))
}

pub(crate) async fn create_link(call: With<'_, Json<CreateLink>>) -> Result<Answer<MemberLink>, Problem> {
    let link = member::create_link(call.engine, call.grant, call.path("member_id")?, call.body.0.purpose).await?;
    // Behind the `#`, which browsers do not send: the secret stands in no log of a server or proxy.
    let end = format!("#welcome={}", link.secret.expose());
    let (url, note) = match call.engine.public_url() {
        Some(public_url) => (format!("{public_url}/{end}"), None),
        None => {
            let note = "The link works at the address of a served Patchbay on this store. Start `patchbay serve`, and put its address in front.";
            (format!("/{end}"), Some(note.to_owned()))
        }
    };
    Ok(Answer::of(MemberLink { url, purpose: link.purpose, expires: link.expires, note }))
}

fn change(body: UpdateMember, expected: Option<Timestamp>) -> member::UpdateMember {
    member::UpdateMember {
        name: body.name,
        fullname: Some(body.fullname),
        nickname: body.nickname,
        picture: body.picture,
        state: body.state,
        role_binding: body.role_binding,
        ttl: body.ttl.map(|ttl| Some(ttl).filter(|ttl| !ttl.is_empty() && ttl != NO_END)),
        token_ttl: body.token_ttl,
        expires: body.expires.map(unless_never),
        pin_expires: body.pin_expires.map(unless_never),
        expected,
    }
}

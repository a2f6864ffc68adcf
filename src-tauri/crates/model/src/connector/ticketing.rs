//! The unified ticketing API: its objects and operations (synqly-wire.md sections 11 and 13).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Timestamp;

/// Unified priority.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ts_rs::TS, schemars::JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Priority {
    /// Highest.
    Urgent,
    /// Second.
    Critical,
    /// Third.
    High,
    /// Fourth.
    Medium,
    /// Fifth.
    Moderate,
    /// Sixth.
    Low,
    /// Not soon.
    Planning,
}

/// A ticket.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Ticket {
    /// The provider's id.
    pub id: String,
    /// The provider's short name (`DEMO-12`), else the id.
    pub name: String,
    /// One line.
    pub summary: String,
    /// Who made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creator: Option<String>,
    /// Who works on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assignee: Option<String>,
    /// Whom to ask.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// Plain text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Unified priority.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// When it is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_date: Option<Timestamp>,
    /// When it was completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completion_date: Option<Timestamp>,
    /// The provider's status, in its words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Id or key of the project.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The provider's type of ticket, in its words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issue_type: Option<String>,
    /// Id of the parent ticket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// Tags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// Attachments, where the provider lists them with the ticket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attachments: Option<Vec<AttachmentMetadata>>,
    /// Mapped custom fields.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_fields: Option<Map<String, Value>>,
    /// What the provider said beyond the unified model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unmapped: Option<Map<String, Value>>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// When it was last changed.
    pub updated_at: Option<Timestamp>,
}

/// A new ticket. Only `name` is required on the wire; it serves as summary where that is missing.
#[derive(Clone, PartialEq, Debug, Default, Deserialize, schemars::JsonSchema)]
#[serde(default)]
#[schemars(extend("anyOf" = [
    { "required": ["name"], "properties": { "name": { "type": "string", "pattern": "\\S" } } },
    { "required": ["summary"], "properties": { "summary": { "type": "string", "pattern": "\\S" } } },
]))]
pub struct CreateTicket {
    /// Name; the wire's one required field.
    pub name: Option<String>,
    /// One line.
    pub summary: Option<String>,
    /// Who made it.
    pub creator: Option<String>,
    /// Who works on it.
    pub assignee: Option<String>,
    /// Whom to ask.
    pub contact: Option<String>,
    /// Plain text.
    pub description: Option<String>,
    /// Unified priority.
    pub priority: Option<Priority>,
    /// When it is due.
    pub due_date: Option<Timestamp>,
    /// When it was completed.
    pub completion_date: Option<Timestamp>,
    /// The provider's status, in its words.
    pub status: Option<String>,
    /// Id or key of the project.
    pub project: Option<String>,
    /// The provider's type of ticket.
    pub issue_type: Option<String>,
    /// Id of the parent ticket.
    pub parent: Option<String>,
    /// Tags.
    pub tags: Option<Vec<String>>,
    /// Mapped custom fields.
    pub custom_fields: Option<Map<String, Value>>,
}

/// A project.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Project {
    /// The provider's id.
    pub id: String,
    /// The provider's name for it.
    pub name: String,
    /// What the provider said beyond the unified model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unmapped: Option<Map<String, Value>>,
}

/// A comment on a ticket.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Comment {
    /// The provider's id.
    pub id: String,
    /// On which ticket.
    pub ticket_id: String,
    /// Who wrote it.
    pub creator: String,
    /// Plain text.
    pub content: String,
    /// When it was written.
    pub created_at: Option<Timestamp>,
    /// When it was last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// What the provider said beyond the unified model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unmapped: Option<Map<String, Value>>,
}

/// A new comment.
#[derive(Clone, PartialEq, Debug, Deserialize, schemars::JsonSchema)]
pub struct CreateComment {
    /// Plain text.
    #[schemars(length(min = 1), regex(pattern = r"\S"))]
    pub content: String,
    /// Who writes it, where the provider lets us say so.
    #[serde(default)]
    pub creator: Option<String>,
}

/// What is known of an attachment without its content.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AttachmentMetadata {
    /// The provider's id.
    pub id: String,
    /// On which ticket.
    pub ticket_id: String,
    /// Name of the file.
    pub file_name: String,
    /// Media type.
    pub file_type: String,
    /// Bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_size: Option<u64>,
    /// When it was attached.
    pub created_date: Option<Timestamp>,
    /// Who attached it.
    pub creator: String,
}

/// An attachment with its content.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Attachment {
    /// The same as without content.
    #[serde(flatten)]
    pub metadata: AttachmentMetadata,
    /// Base64 of the file.
    pub content: String,
}

/// A new attachment.
#[derive(Clone, PartialEq, Debug, Deserialize, schemars::JsonSchema)]
pub struct CreateAttachment {
    /// Name of the file.
    #[schemars(length(min = 1, max = 200), regex(pattern = r"^(?!\s*\.{0,2}\s*$)[^/\\\x00-\x1f\x7f-\x9f]+$"))]
    pub file_name: String,
    /// Base64 of the file.
    #[schemars(regex(pattern = "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$"))]
    pub content: String,
}

/// A field that the provider has on its tickets.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RemoteField {
    /// The provider's id of the field.
    pub field_id: String,
    /// Its type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema: Option<RemoteFieldSchema>,
    /// `standard`, `integration_custom`, `project_custom`, `ticket_custom` or `unknown` (synqly-wire.md section 11).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field_scope: Option<String>,
    /// The provider's name of the field.
    pub provider_field_name: String,
    /// JSON path of the field in the provider's object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_field_path: Option<String>,
    /// In which project, if in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
}

/// The type of a remote field.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RemoteFieldSchema {
    /// `string`, `number`, `enum` or `other`.
    pub field_type_id: String,
    /// The provider's own word; the capital is the wire's.
    #[serde(rename = "field_Type", skip_serializing_if = "Option::is_none")]
    pub field_type: Option<String>,
    /// Allowed values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enum_values: Option<Vec<String>>,
}

/// One operation of RFC 6902 on a ticket; the engine has checked its shape.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct TicketPatch {
    /// `add`, `replace`, `remove`, ...
    pub op: String,
    /// JSON Pointer.
    pub path: String,
    /// New value.
    #[serde(default)]
    pub value: Option<Value>,
    /// Source of a move or copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}

/// Paging of a connector list.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PageRequest {
    /// Cursor of the page before; opaque to callers, made by the adapter.
    pub cursor: Option<String>,
    /// Most rows.
    pub limit: u32,
}

/// One operation of the ticketing API with its arguments.
#[derive(Clone, PartialEq, Debug)]
pub enum TicketingOperation {
    /// `GET /v1/ticketing/remote-fields`
    ListRemoteFields,
    /// `GET /v1/ticketing/projects`
    ListProjects(PageRequest),
    /// `GET /v1/ticketing/tickets`
    QueryTickets {
        /// Paging.
        page: PageRequest,
        /// Conditions on unified fields.
        filters: Vec<crate::list::Filter>,
        /// Sort keys on unified fields.
        orders: Vec<crate::list::Order>,
    },
    /// `GET /v1/ticketing/tickets/{ticket_id}`
    GetTicket(String),
    /// `POST /v1/ticketing/tickets`
    CreateTicket(Box<CreateTicket>),
    /// `PATCH /v1/ticketing/tickets/{ticket_id}`
    PatchTicket(String, Vec<TicketPatch>),
    /// `GET /v1/ticketing/tickets/{ticket_id}/comments`
    ListComments(String),
    /// `POST /v1/ticketing/tickets/{ticket_id}/comments`
    CreateComment(String, CreateComment),
    /// `DELETE /v1/ticketing/tickets/{ticket_id}/comments/{comment_id}`
    DeleteComment(String, String),
    /// `GET /v1/ticketing/attachments/{ticket_id}`
    ListAttachments(String),
    /// `POST /v1/ticketing/attachments/{ticket_id}`
    CreateAttachment(String, CreateAttachment),
    /// `GET /v1/ticketing/attachments/{ticket_id}/{attachment_id}/download`
    DownloadAttachment(String, String),
    /// `DELETE /v1/ticketing/attachments/{ticket_id}/{attachment_id}`
    DeleteAttachment(String, String),
}

impl TicketingOperation {
    /// The operation's name on the wire, as in capabilities.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ListRemoteFields => "list_remote_fields",
            Self::ListProjects(_) => "list_projects",
            Self::QueryTickets { .. } => "query_tickets",
            Self::GetTicket(_) => "get_ticket",
            Self::CreateTicket(_) => "create_ticket",
            Self::PatchTicket(..) => "patch_ticket",
            Self::ListComments(_) => "list_comments",
            Self::CreateComment(..) => "create_comment",
            Self::DeleteComment(..) => "delete_comment",
            Self::ListAttachments(_) => "list_attachments_metadata",
            Self::CreateAttachment(..) => "create_attachment",
            Self::DownloadAttachment(..) => "download_attachment",
            Self::DeleteAttachment(..) => "delete_attachment",
        }
    }

    /// Whether sending it twice does what sending it once does, so that it may be retried.
    pub const fn idempotent(&self) -> bool {
        !matches!(self, Self::CreateTicket(_) | Self::CreateComment(..) | Self::CreateAttachment(..) | Self::PatchTicket(..))
    }
}

/// What an operation gives.
#[derive(Clone, PartialEq, Debug)]
pub enum TicketingAnswer {
    /// Fields.
    RemoteFields(Vec<RemoteField>),
    /// Projects and the cursor of the next page; empty at the end.
    Projects(Vec<Project>, String),
    /// Tickets and the cursor of the next page; empty at the end.
    Tickets(Vec<Ticket>, String),
    /// One ticket.
    Ticket(Box<Ticket>),
    /// Comments.
    Comments(Vec<Comment>),
    /// One comment.
    Comment(Box<Comment>),
    /// Attachments without content.
    Attachments(Vec<AttachmentMetadata>),
    /// One attachment without content.
    AttachmentMetadata(Box<AttachmentMetadata>),
    /// One attachment with content.
    Attachment(Box<Attachment>),
    /// Nothing.
    Done,
}

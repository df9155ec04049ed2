//! What the API server answers when it refuses: a `Status` object, worded as the real one words it.

use serde_json::{Value, json};

use super::resource::Resource;

/// A refusal.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Failure {
    /// The HTTP status.
    pub code: u16,
    reason: &'static str,
    message: String,
    details: Value,
}

impl Failure {
    /// 404: no object of this name.
    pub(crate) fn not_found(resource: &Resource, name: &str) -> Self {
        let message = format!("{} \"{name}\" not found", resource.qualified());
        Self::about(404, "NotFound", message, resource, name)
    }

    /// 404: no such path.
    pub(crate) fn no_such_path() -> Self {
        let message = "the server could not find the requested resource";
        Self::plain(404, "NotFound", message)
    }

    /// 409: an object of this name exists.
    pub(crate) fn exists(resource: &Resource, name: &str) -> Self {
        let message = format!("{} \"{name}\" already exists", resource.qualified());
        Self::about(409, "AlreadyExists", message, resource, name)
    }

    /// 409: the object is newer than the writer thinks.
    pub(crate) fn stale(resource: &Resource, name: &str) -> Self {
        let why = "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict(resource, name, why)
    }

    /// 409: the object cannot be changed so.
    pub(crate) fn conflict(resource: &Resource, name: &str, why: &str) -> Self {
        let message = format!(
            "Operation cannot be fulfilled on {} \"{name}\": {why}",
            resource.qualified()
        );
        Self::about(409, "Conflict", message, resource, name)
    }

    /// 409: others own fields that were applied: their names and paths.
    pub(crate) fn owned(conflicts: &[(String, String)]) -> Self {
        let causes: Vec<Value> = conflicts
            .iter()
            .map(|(manager, path)| {
                json!({"reason": "FieldManagerConflict", "message": format!("conflict with {manager}"), "field": path})
            })
            .collect();
        let mut failure = Self::plain(409, "Conflict", &conflict_message(conflicts));
        failure.details = json!({"causes": causes});
        failure
    }

    /// 422: the object breaks a rule of its kind.
    pub(crate) fn invalid(
        resource: &Resource,
        name: &str,
        field: &str,
        reason: &str,
        why: &str,
    ) -> Self {
        let kind = resource.qualified_kind();
        let message = format!("{kind} \"{name}\" is invalid: {field}: {why}");
        let mut failure = Self::about(422, "Invalid", message, resource, name);
        failure.details["kind"] = json!(resource.kind);
        failure.details["causes"] = json!([{"reason": reason, "message": why, "field": field}]);
        failure
    }

    /// 410: history has been forgotten.
    pub(crate) fn expired(message: &str) -> Self {
        Self::plain(410, "Expired", message)
    }

    /// 504: a version that is not reached yet.
    pub(crate) fn too_large(message: &str) -> Self {
        let mut failure = Self::plain(504, "Timeout", &format!("Timeout: {message}"));
        let cause =
            json!({"reason": "ResourceVersionTooLarge", "message": "Too large resource version"});
        failure.details = json!({"retryAfterSeconds": 1, "causes": [cause]});
        failure
    }

    /// 400: the request makes no sense.
    pub(crate) fn bad_request(message: &str) -> Self {
        Self::plain(400, "BadRequest", message)
    }

    /// 422: an update of a custom object that does not say which version it was made from.
    pub(crate) fn without_version(resource: &Resource, name: &str) -> Self {
        let field = "metadata.resourceVersion";
        let why = "Invalid value: 0: must be specified for an update";
        let mut failure = Self::invalid(resource, name, field, "FieldValueInvalid", why);
        failure.message = format!(
            "{} \"{name}\" is invalid: {field}: {why}",
            resource.qualified()
        );
        failure.details["kind"] = json!(resource.plural);
        failure
    }

    /// 422: an apply by nobody.
    pub(crate) fn without_manager() -> Self {
        let why = "Required value: is required for apply patch";
        let message = format!("PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: {why}");
        let mut failure = Self::plain(422, "Invalid", &message);
        let cause =
            json!({"reason": "FieldValueRequired", "message": why, "field": "fieldManager"});
        failure.details =
            json!({"group": "meta.k8s.io", "kind": "PatchOptions", "causes": [cause]});
        failure
    }

    /// 409: what is to be deleted is another object than the one that was meant.
    pub(crate) fn precondition(resource: &Resource, name: &str, why: &str) -> Self {
        let kind = &resource.kind;
        let message = format!(
            "Operation cannot be fulfilled on {} \"{name}\": {why}",
            resource.qualified_kind()
        );
        let mut failure = Self::about(409, "Conflict", message, resource, name);
        failure.details["kind"] = json!(kind);
        failure
    }

    /// 500: an object that is to be made has a version already.
    pub(crate) fn version_at_creation() -> Self {
        Self::plain(
            500,
            "",
            "resourceVersion should not be set on objects to be created",
        )
    }

    /// 422: a patch that does not fit the object.
    pub(crate) fn rejected() -> Self {
        let mut failure = Self::plain(
            422,
            "Invalid",
            "the server rejected our request due to an error in our request",
        );
        failure.details = json!({});
        failure
    }

    /// 403: admission forbids it.
    pub(crate) fn forbidden(resource: &Resource, name: &str, why: &str) -> Self {
        let message = format!("{} \"{name}\" is forbidden: {why}", resource.qualified());
        Self::about(403, "Forbidden", message, resource, name)
    }

    /// 415: a patch of a kind that this resource does not take.
    pub(crate) fn unsupported() -> Self {
        let message = "the body of the request was in an unknown format - accepted media types include: \
             application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";
        Self::plain(415, "UnsupportedMediaType", message)
    }

    /// What a server in trouble answers.
    pub(crate) fn trouble(code: u16) -> Self {
        match code {
            429 => Self::plain(
                429,
                "TooManyRequests",
                "Too many requests, please try again later.",
            ),
            503 => Self::plain(
                503,
                "ServiceUnavailable",
                "the server is currently unable to handle the request",
            ),
            504 => Self::plain(
                504,
                "Timeout",
                "the server was unable to return a response in the time allotted",
            ),
            403 => Self::plain(403, "Forbidden", "the request is forbidden"),
            409 => Self::plain(
                409,
                "Conflict",
                "the object has been modified; please apply your changes to the latest version and try again",
            ),
            _ => Self::plain(
                code,
                "InternalError",
                "Internal error occurred: the storage is in trouble",
            ),
        }
    }

    /// The `Status` object.
    pub(crate) fn status(&self) -> Value {
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "reason": self.reason, "code": self.code,
        });
        if self.reason.is_empty() {
            status["reason"].take();
        }
        if !self.details.is_null() {
            status["details"] = self.details.clone();
        }
        status
    }

    fn plain(code: u16, reason: &'static str, message: &str) -> Self {
        Self {
            code,
            reason,
            message: message.to_owned(),
            details: Value::Null,
        }
    }

    fn about(
        code: u16,
        reason: &'static str,
        message: String,
        resource: &Resource,
        name: &str,
    ) -> Self {
        let mut details = json!({"name": name, "kind": resource.plural});
        if !resource.group.is_empty() {
            details["group"] = json!(resource.group);
        }
        Self {
            code,
            reason,
            message,
            details,
        }
    }
}

fn conflict_message(conflicts: &[(String, String)]) -> String {
    if let [(manager, path)] = conflicts {
        return format!("Apply failed with 1 conflict: conflict with {manager}: {path}");
    }
    let mut managers: Vec<&String> = conflicts.iter().map(|(manager, _)| manager).collect();
    managers.sort_unstable();
    managers.dedup();
    let paragraphs: Vec<String> = managers
        .into_iter()
        .map(|manager| {
            let mine = conflicts.iter().filter(|(of, _)| of == manager);
            let paths: Vec<String> = mine.map(|(_, path)| format!("- {path}")).collect();
            format!("conflicts with {manager}:\n{}", paths.join("\n"))
        })
        .collect();
    format!(
        "Apply failed with {} conflicts: {}",
        conflicts.len(),
        paragraphs.join("\n")
    )
}

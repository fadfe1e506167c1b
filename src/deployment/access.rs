//! The access that the resources of a plan give, for the person who approves it.

use serde_json::Value;

use crate::aws::arn::resource_name;
use crate::iam::readable::ReadableStatement;
use crate::iam::statements_of;
use crate::reconcile::plan::{Action, PlanStep};
use crate::reconcile::state::State;
use crate::resource::kind::ResourceKind;
use crate::resource::policy_attachment;

/// The origin of the external ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExternalIdOrigin {
    /// Setup generates it.
    Generated,
    /// The user supplies it.
    Given,
    /// The role keeps the one that it has.
    Kept,
}

/// The access that resources give, by the principal that gets it.
#[derive(Clone, Debug)]
pub struct AccessSummary {
    pub external_id: ExternalIdOrigin,
    pub principals: Vec<PrincipalAccess>,
}

/// The access of one principal: a role of the deployment, a service or an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrincipalAccess {
    /// Such as `iam role NAME`, `sns.amazonaws.com` or `account 111122223333`.
    pub name: String,
    /// The principals that may assume the role. Empty for other principals.
    pub assumed_by: Vec<AllowedUse>,
    /// ARN of the policy that limits the role.
    pub permissions_boundary: Option<String>,
    pub permissions: Vec<AllowedUse>,
}

/// One permission, or for a role one kind of caller that may assume it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedUse {
    /// The callers that may assume a role. Empty for a permission.
    pub callers: Vec<String>,
    /// Empty for an assumption.
    pub actions: Vec<String>,
    /// Empty for an assumption.
    pub resources: Vec<String>,
    pub conditions: Vec<String>,
    /// The permission is a KMS grant.
    pub is_grant: bool,
}

impl AccessSummary {
    /// Reads the access from the documents of a plan. Without `all`, only from those that the plan creates or changes.
    #[must_use]
    pub fn of(steps: &[PlanStep], external_id: ExternalIdOrigin, all: bool) -> Self {
        let mut summary = Self {
            external_id,
            principals: Vec::new(),
        };
        for step in steps.iter().filter(|step| all || gives_access(step)) {
            summary.add_step(step, steps);
        }
        summary
    }

    fn add_step(&mut self, step: &PlanStep, steps: &[PlanStep]) {
        let state = &step.preview.state;
        match ResourceKind::of(&step.id) {
            Some(ResourceKind::IamRole) => self.add_role(step, state),
            Some(ResourceKind::IamPolicy) => {
                let name = policy_holder(step, steps);
                for statement in allowed(state.get("document")) {
                    self.add(
                        &name,
                        AllowedUse::permission(&statement, &step.id.to_string()),
                    );
                }
            }
            Some(ResourceKind::KmsGrant) => {
                let grantee = state.text("grantee").unwrap_or_default();
                self.add(&role_name(grantee), AllowedUse::grant(state));
            }
            Some(ResourceKind::LambdaPermission) => {
                self.add_resource_policy(step, state.get("statement"));
            }
            Some(_) => self.add_resource_policy(step, state.get("policy")),
            None => {}
        }
    }

    fn add_role(&mut self, step: &PlanStep, state: &State) {
        let assumed_by = allowed(state.get("trust")).map(|statement| AllowedUse {
            callers: statement.principals,
            conditions: statement.conditions,
            ..AllowedUse::default()
        });
        let assumed_by = assumed_by.collect();
        let principal = self.principal(&step.id.to_string());
        principal.assumed_by = assumed_by;
        principal.permissions_boundary = state.text("permissions_boundary").map(str::to_owned);
    }

    /// Adds the statements of a policy that names its principals.
    fn add_resource_policy(&mut self, step: &PlanStep, document: Option<&Value>) {
        for statement in allowed(document) {
            for name in &statement.principals {
                self.add(
                    name,
                    AllowedUse::permission(&statement, &step.id.to_string()),
                );
            }
        }
    }

    fn add(&mut self, name: &str, permission: AllowedUse) {
        self.principal(name).permissions.push(permission);
    }

    fn principal(&mut self, name: &str) -> &mut PrincipalAccess {
        let index = self.principals.iter().position(|known| known.name == name);
        let index = index.unwrap_or_else(|| {
            self.principals.push(PrincipalAccess {
                name: name.to_owned(),
                assumed_by: Vec::new(),
                permissions_boundary: None,
                permissions: Vec::new(),
            });
            self.principals.len() - 1
        });
        &mut self.principals[index]
    }
}

impl AllowedUse {
    /// The permission of a statement. `*` as the only resource means the resource that has the policy.
    fn permission(statement: &ReadableStatement, owner: &str) -> Self {
        let is_own = !statement.principals.is_empty() && statement.resources == ["*"];
        Self {
            actions: statement.actions.clone(),
            resources: if is_own {
                vec![owner.to_owned()]
            } else {
                statement.resources.clone()
            },
            conditions: statement.conditions.clone(),
            ..Self::default()
        }
    }

    fn grant(state: &State) -> Self {
        let operations = state.get("operations").and_then(Value::as_array);
        let operations = operations.into_iter().flatten().filter_map(Value::as_str);
        Self {
            actions: operations
                .map(|operation| format!("kms:{operation}"))
                .collect(),
            resources: state.text("key").map(str::to_owned).into_iter().collect(),
            is_grant: true,
            ..Self::default()
        }
    }
}

/// The fields that give access.
const ACCESS_FIELDS: [&str; 9] = [
    "trust",
    "external_id",
    "permissions_boundary",
    "document",
    "policy",
    "statement",
    "grantee",
    "operations",
    "key",
];

/// Returns true if the plan creates the resource, or changes a field that gives access.
fn gives_access(step: &PlanStep) -> bool {
    match &step.action {
        Action::Create | Action::Adopt(_) => true,
        action => {
            let mut changes = action.changes().iter();
            changes.any(|change| ACCESS_FIELDS.contains(&change.field))
        }
    }
}

/// Returns the statements of a document that allow something.
fn allowed(document: Option<&Value>) -> impl Iterator<Item = ReadableStatement> {
    let statements = document.map(statements_of).unwrap_or_default();
    let statements = statements.into_iter().filter_map(|statement| {
        let statement = ReadableStatement::of(statement.as_object()?);
        statement.is_allow.then_some(statement)
    });
    statements.collect::<Vec<_>>().into_iter()
}

/// Returns the role that has the policy, or the policy if no role of the plan has it.
fn policy_holder(policy: &PlanStep, steps: &[PlanStep]) -> String {
    let attachments = steps.iter().filter_map(|step| {
        let text = |field: &str| step.preview.state.text(field);
        let is_attachment = ResourceKind::of(&step.id) == Some(ResourceKind::IamAttachment);
        let attached = text(policy_attachment::POLICY)?;
        (is_attachment && resource_name(attached) == policy.id.name)
            .then(|| text(policy_attachment::ROLE))?
    });
    attachments
        .map(role_name)
        .next()
        .unwrap_or_else(|| policy.id.to_string())
}

/// Returns the name of a role as its plan step shows it.
fn role_name(arn: &str) -> String {
    ResourceKind::IamRole.id(resource_name(arn)).to_string()
}

//! Reads the attachments of others to a managed role, and those of a managed policy to others. IAM deletes neither the
//! role nor the policy while such an attachment exists.

use aws_sdk_iam::types::PolicyUsageType;

use crate::aws::error::AwsResultExt;
use crate::aws::{Aws, arn, not_found};
use crate::error::{Error, Result};
use crate::reconcile::OtherUsers;

/// Returns the policies and instance profiles of others on a role. `own_policy` is the ARN of the managed policy.
///
/// # Errors
/// When IAM refuses a call.
pub(super) async fn attached_to_role(
    aws: &Aws,
    role: &str,
    own_policy: &str,
) -> Result<OtherUsers> {
    let (managed, inline, profiles) = tokio::try_join!(
        attached_policies(aws, role),
        inline_policies(aws, role),
        instance_profiles(aws, role),
    )?;
    let mut found = OtherUsers {
        relation: "has attachments of others",
        ..OtherUsers::default()
    };
    for policy in managed.into_iter().filter(|policy| policy != own_policy) {
        found.add(
            format!("policy {}", arn::resource_name(&policy)),
            format!("aws iam detach-role-policy --role-name {role} --policy-arn {policy}"),
        );
    }
    for policy in inline {
        found.add(
            format!("inline policy {policy}"),
            format!("aws iam delete-role-policy --role-name {role} --policy-name {policy}"),
        );
    }
    for profile in profiles {
        found.add(
            format!("instance profile {profile}"),
            format!(
                "aws iam remove-role-from-instance-profile --instance-profile-name {profile} --role-name {role}"
            ),
        );
    }
    Ok(found)
}

/// Returns the roles, users and groups of others that a managed policy is attached to, and those whose permissions
/// boundary it is. `own_role` is the name of the managed role. IAM refuses to delete the policy in both cases. Source:
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicy.html>.
///
/// # Errors
/// When IAM refuses a call.
pub(super) async fn entities_of_policy(
    aws: &Aws,
    policy: &str,
    own_role: &str,
) -> Result<OtherUsers> {
    let (mut attached, boundaries) = tokio::try_join!(
        list_entities(aws, policy, PolicyUsageType::PermissionsPolicy),
        list_entities(aws, policy, PolicyUsageType::PermissionsBoundary),
    )?;
    attached.retain(|entity| (entity.kind, entity.name.as_str()) != ("role", own_role));
    let mut found = OtherUsers {
        relation: match (attached.is_empty(), boundaries.is_empty()) {
            (_, true) => "is attached to entities of others",
            (true, false) => "is the permissions boundary of entities of others",
            (false, false) => "is attached to, or the permissions boundary of, entities of others",
        },
        ..OtherUsers::default()
    };
    for PolicyEntity { kind, name } in attached {
        found.add(
            format!("{kind} {name}"),
            format!("aws iam detach-{kind}-policy --{kind}-name {name} --policy-arn {policy}"),
        );
    }
    for PolicyEntity { kind, name } in boundaries {
        found.add(
            format!("{kind} {name}"),
            format!("aws iam delete-{kind}-permissions-boundary --{kind}-name {name}"),
        );
    }
    Ok(found)
}

/// A role, user or group.
struct PolicyEntity {
    kind: &'static str,
    name: String,
}

async fn list_entities(
    aws: &Aws,
    policy: &str,
    usage: PolicyUsageType,
) -> Result<Vec<PolicyEntity>> {
    let call = aws.iam.list_entities_for_policy().policy_arn(policy);
    let mut pages = call.policy_usage_filter(usage).into_paginator().send();
    let mut entities = Vec::new();
    while let Some(page) = pages.next().await {
        let Some(page) =
            page.optional_for("iam:ListEntitiesForPolicy", not_found::IAM_ENTITY, || {
                format!(
                    "list the entities of iam policy {}",
                    arn::resource_name(policy)
                )
            })?
        else {
            break;
        };
        let mut add = |kind, name: Option<&str>| {
            let name = name.map(str::to_owned);
            entities.extend(name.map(|name| PolicyEntity { kind, name }));
        };
        for role in page.policy_roles() {
            add("role", role.role_name());
        }
        for user in page.policy_users() {
            add("user", user.user_name());
        }
        for group in page.policy_groups() {
            add("group", group.group_name());
        }
    }
    Ok(entities)
}

/// Replaces a conflict that only others can end by an error that names them. A conflict for another reason passes by
/// itself, for example when IAM still shows a detached policy.
pub(super) async fn explain_conflict(
    refusal: Error,
    operation: &str,
    others: impl Future<Output = Result<OtherUsers>>,
) -> Error {
    if !refusal.has_code("DeleteConflict") {
        return refusal;
    }
    match others.await {
        Ok(found) if !found.is_empty() => Error::failed(
            operation,
            format!("it {}: {}", found.relation, found.users.join(", ")),
        )
        .with_hint(found.release_hint()),
        _ => refusal,
    }
}

async fn attached_policies(aws: &Aws, role: &str) -> Result<Vec<String>> {
    let mut policies = Vec::new();
    let call = aws.iam.list_attached_role_policies().role_name(role);
    let mut pages = call.into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.optional_for(
            "iam:ListAttachedRolePolicies",
            not_found::IAM_ENTITY,
            || format!("list the policies of iam role {role}"),
        )?;
        let Some(page) = page else { break };
        let found = page.attached_policies().iter();
        policies.extend(found.filter_map(|policy| policy.policy_arn.clone()));
    }
    Ok(policies)
}

async fn inline_policies(aws: &Aws, role: &str) -> Result<Vec<String>> {
    let mut policies = Vec::new();
    let call = aws.iam.list_role_policies().role_name(role);
    let mut pages = call.into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.optional_for("iam:ListRolePolicies", not_found::IAM_ENTITY, || {
            format!("list the inline policies of iam role {role}")
        })?;
        let Some(page) = page else { break };
        policies.extend(page.policy_names);
    }
    Ok(policies)
}

async fn instance_profiles(aws: &Aws, role: &str) -> Result<Vec<String>> {
    let mut profiles = Vec::new();
    let call = aws.iam.list_instance_profiles_for_role().role_name(role);
    let mut pages = call.into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.optional_for(
            "iam:ListInstanceProfilesForRole",
            not_found::IAM_ENTITY,
            || format!("list the instance profiles of iam role {role}"),
        )?;
        let Some(page) = page else { break };
        let found = page.instance_profiles.into_iter();
        profiles.extend(found.map(|profile| profile.instance_profile_name));
    }
    Ok(profiles)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::canned::CannedResponse;

    const OWN_POLICY: &str = "arn:aws:iam::111122223333:policy/own";

    fn response(operation: &str, result: &str) -> CannedResponse {
        CannedResponse::ok(format!(
            "<{operation}Response><{operation}Result>{result}<IsTruncated>false</IsTruncated></{operation}Result></{operation}Response>"
        ))
    }

    fn role_lists(attached: &str, inline: &str) -> Vec<(&'static str, CannedResponse)> {
        let attached = format!("<AttachedPolicies>{attached}</AttachedPolicies>");
        let inline = format!("<PolicyNames>{inline}</PolicyNames>");
        let profiles = "<InstanceProfiles></InstanceProfiles>";
        vec![
            (
                "ListAttachedRolePolicies",
                response("ListAttachedRolePolicies", &attached),
            ),
            ("ListRolePolicies", response("ListRolePolicies", &inline)),
            (
                "ListInstanceProfilesForRole",
                response("ListInstanceProfilesForRole", profiles),
            ),
        ]
    }

    fn member(policy: &str) -> String {
        format!("<member><PolicyArn>{policy}</PolicyArn></member>")
    }

    fn conflict() -> Error {
        let error = Error::failed("delete iam role own", "must detach all policies first");
        error.with_code(Some("DeleteConflict".to_owned()), None)
    }

    #[tokio::test]
    async fn own_policy_is_no_attachment_of_others() {
        let (aws, _) = Aws::canned(role_lists(&member(OWN_POLICY), ""));
        let found = attached_to_role(&aws, "own", OWN_POLICY).await.unwrap();
        assert!(found.is_empty(), "{found:?}");
    }

    #[tokio::test]
    async fn conflict_caused_by_others_is_final() {
        let audit = "arn:aws:iam::aws:policy/SecurityAudit";
        let attached = format!("{}{}", member(OWN_POLICY), member(audit));
        let (aws, _) = Aws::canned(role_lists(&attached, "<member>limits</member>"));
        let others = attached_to_role(&aws, "own", OWN_POLICY);
        let error = explain_conflict(conflict(), "delete iam role own", others).await;
        assert!(!error.has_code("DeleteConflict"), "{error:?}");
        assert_eq!(
            error.cause(),
            "it has attachments of others: policy SecurityAudit, inline policy limits"
        );
        let commands = format!("{:?}", error.hint());
        assert!(
            commands.contains("detach-role-policy --role-name own"),
            "{commands}"
        );
    }

    #[tokio::test]
    async fn conflict_with_detached_policy_is_retried() {
        let (aws, _) = Aws::canned(role_lists(&member(OWN_POLICY), ""));
        let others = attached_to_role(&aws, "own", OWN_POLICY);
        let error = explain_conflict(conflict(), "delete iam role own", others).await;
        assert!(error.has_code("DeleteConflict"), "{error:?}");
    }

    /// The responses about a policy: first the attachments, then the permissions boundaries.
    fn entity_lists(attached: &str, boundaries: &str) -> Vec<(&'static str, CannedResponse)> {
        let list = |entities| {
            (
                "ListEntitiesForPolicy",
                response("ListEntitiesForPolicy", entities),
            )
        };
        vec![list(attached), list(boundaries)]
    }

    #[tokio::test]
    async fn entities_of_others_are_named_with_commands() {
        let entities = "<PolicyRoles><member><RoleName>own</RoleName></member><member><RoleName>reader</RoleName></member>\
                        </PolicyRoles><PolicyUsers><member><UserName>ann</UserName></member></PolicyUsers>\
                        <PolicyGroups><member><GroupName>audit</GroupName></member></PolicyGroups>";
        let (aws, _) = Aws::canned(entity_lists(entities, ""));
        let found = entities_of_policy(&aws, OWN_POLICY, "own").await.unwrap();
        assert_eq!(found.relation, "is attached to entities of others");
        assert_eq!(found.users, ["role reader", "user ann", "group audit"]);
        assert_eq!(
            found.release_commands[2],
            format!("aws iam detach-group-policy --group-name audit --policy-arn {OWN_POLICY}")
        );
    }

    #[tokio::test]
    async fn permissions_boundaries_of_others_are_named_with_commands() {
        let own = "<PolicyRoles><member><RoleName>own</RoleName></member></PolicyRoles>";
        let boundaries = "<PolicyRoles><member><RoleName>ci</RoleName></member></PolicyRoles>\
                          <PolicyUsers><member><UserName>ann</UserName></member></PolicyUsers>";
        let (aws, sent) = Aws::canned(entity_lists(own, boundaries));
        let found = entities_of_policy(&aws, OWN_POLICY, "own").await.unwrap();
        assert_eq!(
            found.relation,
            "is the permissions boundary of entities of others"
        );
        assert_eq!(found.users, ["role ci", "user ann"]);
        assert_eq!(
            found.release_commands,
            [
                "aws iam delete-role-permissions-boundary --role-name ci",
                "aws iam delete-user-permissions-boundary --user-name ann",
            ]
        );
        let usages = ["PermissionsPolicy", "PermissionsBoundary"];
        for (body, usage) in sent.bodies("ListEntitiesForPolicy").iter().zip(usages) {
            assert!(
                body.contains(&format!("PolicyUsageFilter={usage}")),
                "{body}"
            );
        }
    }
}

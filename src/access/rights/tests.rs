//! Rules and the access that follows from them.

use super::*;

fn client(kind: IdentityKind, name: &str, groups: &[&str]) -> Identity {
    Identity::named(name, kind, groups)
}

fn user(name: &str, groups: &[&str]) -> Identity {
    client(IdentityKind::User, name, groups)
}

fn rights(json: &str) -> Rights {
    Rights::of_rules(parse(json).unwrap())
}

#[test]
fn without_rules_the_signed_in_see_everything_and_operate_nothing() {
    let rights = rights("[]");
    let access = rights.of(Some(&user("a", &[])));
    assert!(access.scope.is_unlimited() && !access.operate);
    let nobody = Identity::anonymous();
    let unnamed = Identity { name: None, kind: IdentityKind::User, groups: Arc::default() };
    for none in [None, Some(&nobody), Some(&unnamed)] {
        assert_eq!(*rights.of(none).scope, Scope::nothing());
        assert!(!rights.of(none).operate);
    }
    let owner = Identity::owner();
    assert!(rights.of(Some(&owner)).operate && rights.of(Some(&owner)).scope.is_unlimited());
    assert!(Rights::unlimited().of(None).operate);
}

#[test]
fn a_rule_for_operators_leaves_views_as_they_are() {
    let rights = rights(r#"[{"users":["ops"],"may":["operate"]}]"#);
    assert!(rights.of(Some(&user("ops", &[]))).operate);
    let other = rights.of(Some(&user("other", &[])));
    assert!(!other.operate && other.scope.is_unlimited());
    // A token of that name is not that user.
    assert!(!rights.of(Some(&client(IdentityKind::Token, "ops", &[]))).operate);
}

#[test]
fn a_client_has_the_rights_of_all_rules_that_name_it() {
    let rights = rights(
        r#"[
            {"groups":["team-a"],"may":["view-configuration"],"clusters":["a-*"]},
            {"users":["*@example.com"],"may":["view"],"names":["Public *"]},
            {"tokens":["backup"],"may":["download"]}
        ]"#,
    );
    assert_eq!(*rights.of(Some(&user("x", &[]))).scope, Scope::nothing());
    let both = rights.of(Some(&user("x@example.com", &["other", "team-a"])));
    let view = both.scope.view.clone();
    assert!(view.has("file:///d", "a-1", "any") && view.has("file:///d", "b", "PUBLIC orders") && !view.has("file:///d", "b", "orders"));
    assert!(both.scope.configuration.has("file:///d", "a-1", "any") && !both.scope.configuration.has("file:///d", "b", "public x"));
    assert_eq!(both.scope.download, Part::nothing());
    let token = rights.of(Some(&client(IdentityKind::Token, "backup", &[])));
    assert_eq!((&token.scope.view, &token.scope.download), (&Part::Everything, &Part::Everything));
    assert!(token.scope.is_unlimited(), "a download has the configuration in it");
    assert!(Arc::ptr_eq(&both, &rights.of(Some(&user("y@example.com", &["team-a"])))), "access is made once per combination of rules");
    let of_file = rights.of(Some(&client(IdentityKind::Token, "grafana", &["view", "team-a", "operate"])));
    assert_eq!((&of_file.scope.view, &of_file.scope.configuration, of_file.operate), (&Part::Everything, &Part::nothing(), true));
    rights.replace_rules(Vec::new());
    assert!(rights.of(Some(&user("x", &[]))).scope.is_unlimited());
}

#[test]
fn each_fault_of_a_rule_is_a_sentence_with_its_number() {
    for (json, part) in [
        ("{}", "list of rules"),
        (r#"[{"may":["view"]}]"#, "rule 1: it is for no client"),
        (r#"[{"everyone":true}]"#, "rule 1: it gives no right"),
        (r#"[{"everyone":true,"may":["see"]}]"#, "unknown variant `see`"),
        (r#"[{"everyone":true,"may":["view"],"cluster":["a"]}]"#, "unknown field `cluster`"),
        (r#"[{"everyone":true,"may":["view"],"clusters":[]}]"#, "`clusters` is empty"),
        (r#"[{"everyone":true,"may":["operate"],"clusters":["a"]}]"#, "`operate` is about the whole server"),
        (r#"[{"everyone":true,"may":["view"],"configuration":{"key":"","value":"a"}}]"#, "`configuration` needs"),
    ] {
        let faults = parse(json).unwrap_err();
        assert!(faults[0].contains(part), "{faults:?}");
    }
    assert_eq!(parse(r#"[{}, {"everyone":true,"may":["view"]}, {"may":[]}]"#).unwrap_err().len(), 2);
}

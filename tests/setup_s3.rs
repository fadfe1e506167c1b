//! Setup of option s3, from nothing to the three values.

use serde_json::Value;

use crate::harness::{Engine, Heeler, World};

fn setup(world: &World) -> Vec<String> {
    ["setup", "--option", "s3", "--yes", "--generate-external-id", "--heeler-role-arn", &world.heeler_role_arn()]
        .map(str::to_owned)
        .to_vec()
}

#[tokio::test]
async fn setting_up_twice_writes_nothing_the_second_time() {
    let world = World::on(Engine::Ministack).bucket_key().foreign_notifications().build().await;
    let before = world.notification().await;
    let pre = Heeler::new(&world).args(["preflight", "--option", "s3"]).run().await;
    eprintln!("{}{}", pre.stdout, pre.stderr);
    let plan = Heeler::new(&world).args(["plan", "--option", "s3", "--heeler-role-arn", &world.heeler_role_arn()]).run().await;
    eprintln!("{}{}", plan.stdout, plan.stderr);
    let first = Heeler::new(&world).args(setup(&world)).run().await;
    eprintln!("{}{}", first.stdout, first.stderr);
    eprintln!("{:?}", first.calls.iter().map(crate::harness::Call::name).collect::<Vec<_>>());
    let first = first.ended(0);
    let second = Heeler::new(&world).args(setup(&world).into_iter().filter(|a| a != "--generate-external-id")).run().await.ended(0);
    eprintln!("{}{}", second.stdout, second.stderr);
    assert_eq!(second.writes().len(), 0, "{}", second.stderr);
    let out = Heeler::new(&world).args(["outputs", "-o", "json"]).run().await.ended(0);
    let out: Value = serde_json::from_str(&out.stdout).unwrap();
    eprintln!("{out:#}");
    let gone = Heeler::new(&world).args(["destroy", "--yes"]).run().await;
    eprintln!("{}{}", gone.stdout, gone.stderr);
    gone.ended(0);
    assert_eq!(world.leftovers().await, Vec::<String>::new());
    assert_eq!(world.notification().await, before);
    drop(first);
}

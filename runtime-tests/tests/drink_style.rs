//! Contracts in drink's own style: a session, messages by their names, arguments as text. A place to
//! begin for those who know drink; the other tests use this crate's typed `World` on the same chain.

use std::error::Error;

use cicada_traits::psp22::PSP22Error;
use drink::{
    minimal::MinimalSandbox,
    session::{ContractBundle, Session, NO_ARGS, NO_ENDOWMENT, NO_SALT},
    AccountId32, Sandbox,
};

#[drink::contract_bundle_provider]
enum Bundles {}

type Outcome = Result<(), Box<dyn Error>>;

const BOB: AccountId32 = AccountId32::new([2; 32]);

/// Deploys a token whose 1,000 units belong to the session's actor.
fn deploy_token(session: &mut Session<MinimalSandbox>) -> Result<AccountId32, Box<dyn Error>> {
    let arguments = [r#""Coin""#, r#""C""#, "12", "1000"];
    Ok(session.deploy_bundle(Bundles::Token.bundle()?, "new", &arguments, NO_SALT, NO_ENDOWMENT)?)
}

fn balance(
    session: &mut Session<MinimalSandbox>,
    owner: &AccountId32,
) -> Result<u128, Box<dyn Error>> {
    Ok(session.call("PSP22::balance_of", &[owner.to_string()], NO_ENDOWMENT)??)
}

#[drink::test]
fn the_deployer_of_a_token_holds_its_supply(mut session: Session) -> Outcome {
    deploy_token(&mut session)?;
    let supply: u128 = session.call("PSP22::total_supply", NO_ARGS, NO_ENDOWMENT)??;
    assert_eq!(supply, 1_000);
    assert_eq!(balance(&mut session, &MinimalSandbox::default_actor())?, 1_000);
    Ok(())
}

#[drink::test]
fn a_transfer_moves_units_and_emits_an_event(mut session: Session) -> Outcome {
    deploy_token(&mut session)?;
    let arguments = [BOB.to_string(), "40".into(), "0x".into()];
    let _: Result<(), PSP22Error> = session.call("PSP22::transfer", &arguments, NO_ENDOWMENT)??;
    assert_eq!(session.record().last_event_batch().contract_events().len(), 1);
    assert_eq!(balance(&mut session, &BOB)?, 40);
    Ok(())
}

#[drink::test]
fn nobody_spends_what_he_does_not_hold(mut session: Session) -> Outcome {
    deploy_token(&mut session)?;
    session.set_actor(BOB);
    let to = MinimalSandbox::default_actor().to_string();
    let error: PSP22Error = session.call_and_expect_error(
        "PSP22::transfer",
        &[to, "1".into(), "0x".into()],
        NO_ENDOWMENT,
    )?;
    assert_eq!(error, PSP22Error::InsufficientBalance);
    Ok(())
}

#[drink::test]
fn a_bundle_loads_from_its_file(mut session: Session) -> Outcome {
    let file = cicada_runtime_tests::bundle::folder().join("token.contract");
    let hash = session.upload_bundle(ContractBundle::load(file)?)?;
    assert_eq!(hash.0, cicada_runtime_tests::Bundle::load("token").code_hash);
    Ok(())
}

//! Runs the models and prints what came out, as a table.

use cicada_models::run::Outcome;
use cicada_models::suite::{judge, runs, Expected, Run, Subject};
use clap::Parser;
use std::io::{self, Write};
use std::process::ExitCode;

/// Checks the real consensus code in every order of events, within bounds.
///
/// Each row is a model; a control has a bug seeded and must fail. Exit code 1 if any row comes
/// out otherwise than expected.
#[derive(Parser)]
#[command(version, after_help = "Example: cicada-models --quick --only stale --steps")]
struct Arguments {
    /// Only what takes a few seconds; less than a minute in all.
    #[arg(long)]
    quick: bool,
    /// Only rows whose name contains this.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Print the steps of each counterexample.
    #[arg(long)]
    steps: bool,
    /// Print the rows only, without running them.
    #[arg(long)]
    list: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match print_table(&arguments, &mut io::stdout().lock()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("cannot print the table: {error}");
            ExitCode::FAILURE
        }
    }
}

fn print_table(arguments: &Arguments, out: &mut impl Write) -> io::Result<bool> {
    let wanted = |run: &Run| arguments.only.as_ref().is_none_or(|text| run.name.contains(text));
    let mut good = true;
    writeln!(out, "| model | what | bounds | steps | states | depth | seconds | result |")?;
    writeln!(out, "|---|---|---|---|---|---|---|---|")?;
    for run in runs(arguments.quick).iter().filter(|run| wanted(run)) {
        let kind = match run.subject {
            Subject::Byzantine(_) => "byzantine",
            Subject::Crash(_) => "crash",
        };
        write!(out, "| {kind} | {} | {} |", run.name, run.bounds())?;
        out.flush()?;
        if arguments.list {
            writeln!(out)?;
            continue;
        }
        let outcome = run.go();
        let verdict = judge(run, &outcome);
        good &= verdict.is_ok();
        let Outcome { steps, states, depth, .. } = outcome;
        let seconds = outcome.time.as_secs_f64();
        let result = result(run, &outcome, &verdict);
        writeln!(out, " {steps} | {states} | {depth} | {seconds:.1} | {result} |")?;
        if let (true, Some((_, steps))) = (arguments.steps, &outcome.broken) {
            for (number, step) in steps.iter().enumerate() {
                writeln!(out, "    {}. {step}", number + 1)?;
            }
        }
    }
    Ok(good)
}

fn result(run: &Run, outcome: &Outcome, verdict: &Result<(), String>) -> String {
    if let Err(reason) = verdict {
        return format!("**{reason}**");
    }
    match (run.expected, &outcome.broken) {
        (_, Some((property, steps))) => {
            format!("control: \"{property}\" fails after {} steps", steps.len())
        }
        (Expected::Hides, None) => "control: agreement holds all the same".to_owned(),
        _ if outcome.complete => "holds, exhausted".to_owned(),
        _ => "holds, not exhausted".to_owned(),
    }
}

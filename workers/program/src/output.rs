//! Standard output of programs that do more than print.

use std::fmt::Arguments;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

/// The first reason why something could not be written.
static FAILED: Mutex<Option<io::Error>> = Mutex::new(None);

/// Writes a line to standard output, as `println!` does. A reader that has gone is no reason to stop
/// what the program does; anything else is said by [`crate::status`] at its end.
#[macro_export]
macro_rules! say {
    ($($text:tt)*) => { $crate::say_line(format_args!($($text)*)) };
}

/// Writes a line to standard error, as `eprintln!` does; that nobody reads it is no reason to stop.
/// What strangers wrote in it is shown as [`crate::visible`] does.
#[macro_export]
macro_rules! complain {
    ($($text:tt)*) => { $crate::complain_line(format_args!($($text)*)) };
}

/// What [`complain!`] does.
pub fn complain_line(text: Arguments<'_>) {
    let text = text.to_string();
    let _ = writeln!(io::stderr(), "{}", crate::visible(&text));
}

/// What [`say!`] does.
pub fn say_line(text: Arguments<'_>) {
    write_out(format!("{text}\n").as_bytes());
}

/// Writes bytes to standard output as they are, under the rules of [`say!`].
pub fn write_out(bytes: &[u8]) {
    let mut output = io::stdout().lock();
    let written = output.write_all(bytes).and_then(|()| output.flush());
    if let Err(error) = written {
        if error.kind() != io::ErrorKind::BrokenPipe {
            FAILED.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        }
    }
}

/// Why something could not be written since this was asked last.
pub fn unsaid() -> Option<io::Error> {
    FAILED.lock().unwrap_or_else(PoisonError::into_inner).take()
}

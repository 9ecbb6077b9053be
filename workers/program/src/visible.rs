//! What strangers wrote, for a terminal.

use std::borrow::Cow;

/// A text in which nothing moves a cursor, changes a colour or turns the direction of writing: such
/// characters stand there as `\u{1b}`. Tabs and line ends stay.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        match is_hidden(letter) {
            true => shown.extend(letter.escape_unicode()),
            false => shown.push(letter),
        }
    }
    Cow::Owned(shown)
}

/// As [`visible`], in one line: tabs and line ends are shown as well.
pub fn visible_line(text: &str) -> String {
    let one = text.replace('\n', "\\n").replace('\t', "\\t");
    visible(&one).into_owned()
}

/// Controls, and the marks that reorder what is shown.
pub fn is_hidden(letter: char) -> bool {
    let reorders = matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    reorders || letter.is_control() && letter != '\n' && letter != '\t'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_move_the_cursor_is_shown() {
        let title = "\u{1b}]0;owned\u{7}\u{1b}[2J";
        assert_eq!(visible(title), "\\u{1b}]0;owned\\u{7}\\u{1b}[2J");
        assert_eq!(visible("a\r\u{9b}31mb\u{202e}c"), "a\\u{d}\\u{9b}31mb\\u{202e}c");
        assert_eq!(visible_line("a\nb\tc"), "a\\nb\\tc");
    }

    #[test]
    fn text_in_any_script_stays() {
        for text in ["", "a\tb\nc", "Évaluation – 測試 №1", "👍🏽"] {
            assert!(matches!(visible(text), Cow::Borrowed(same) if same == text));
        }
    }
}

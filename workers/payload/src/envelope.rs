//! What stands inside an encrypted payload: a short head, then the payload.

use crate::{Error, PayloadKey, Recipient};
use zeroize::Zeroizing;

const FIRST_LINE: &[u8] = b"cicada71-payload 1\n";
const REPLY_TO: &str = "reply-to: ";
/// The most bytes of the head.
const MAX_HEAD: usize = 512;

/// A decrypted payload and where its result goes.
#[derive(Debug)]
pub struct Envelope {
    /// Who reads the result.
    pub reply_to: Recipient,
    /// What the job gets on its standard input.
    pub payload: Zeroizing<Vec<u8>>,
}

impl Envelope {
    /// The head and the payload as one.
    pub fn pack(reply_to: &PayloadKey, payload: &[u8]) -> Zeroizing<Vec<u8>> {
        let head = format!("{REPLY_TO}{}\n\n", reply_to.recipient());
        Zeroizing::new([FIRST_LINE, head.as_bytes(), payload].concat())
    }

    /// Takes them apart.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub fn unpack(plain: &[u8]) -> Result<Self, Error> {
        let bad = |what: &str| Error::Invalid(format!("the decrypted payload {what}"));
        let rest = plain.strip_prefix(FIRST_LINE).ok_or_else(|| bad("has no known head"))?;
        let head = rest.get(..MAX_HEAD.min(rest.len())).unwrap_or_default();
        let end = head.windows(2).position(|pair| pair == b"\n\n");
        let end = end.ok_or_else(|| bad("has a head without an end"))?;
        let (head, payload) = (&rest[..end], &rest[end + 2..]);
        let reply_to = std::str::from_utf8(head).ok().and_then(|head| head.strip_prefix(REPLY_TO));
        let reply_to = reply_to.ok_or_else(|| bad("does not say where its result goes"))?;
        Ok(Self { reply_to: reply_to.parse()?, payload: Zeroizing::new(payload.to_vec()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn head_and_payload_come_apart_again() {
        let key = PayloadKey::generate();
        for payload in [&b""[..], b"\n\nreply-to: me\n\n", &[0, 255, 10, 10]] {
            let envelope = Envelope::unpack(&Envelope::pack(&key, payload)).unwrap();
            assert_eq!(&envelope.payload[..], payload);
            assert_eq!(envelope.reply_to, key.recipient());
        }
    }

    #[test]
    fn anything_else_is_refused() {
        let endless = [FIRST_LINE, &vec![b'x'; 2 * MAX_HEAD], b"\n\n"].concat();
        let silent = [FIRST_LINE, b"to: x\n\n"].concat();
        let nobody = [FIRST_LINE, b"reply-to: age1nobody\n\n", b"payload"].concat();
        for bytes in [&b""[..], b"cicada71-payload 2\n\n", FIRST_LINE, &endless, &silent, &nobody] {
            assert!(Envelope::unpack(bytes).is_err());
        }
    }

    #[test]
    fn no_result_is_promised_to_a_key_that_keeps_no_secret() {
        for weak in crate::key::tests::weak_points() {
            let head = format!("{REPLY_TO}{}\n\n", crate::key::tests::recipient(&weak));
            let error = Envelope::unpack(&[FIRST_LINE, head.as_bytes(), b"payload"].concat());
            let error = error.expect_err("it would be encrypted for everybody, or not at all");
            assert!(error.to_string().contains("keeps no secret"), "{error}");
        }
    }
}

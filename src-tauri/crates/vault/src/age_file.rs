//! Files sealed with age (age-encryption.org/v1) as a stream: a backup of any size needs no more memory than a chunk.

use std::io::{self, BufRead, Read, Write};
use std::iter;

use age::secrecy::SecretString;
use age::stream::{StreamReader, StreamWriter};
use age::{DecryptError, Decryptor, Encryptor};
use patchbay_model::{Code, Problem, Secret};

use crate::{AgeIdentity, AgeRecipient};

/// How an age file begins.
const MAGIC: &[u8] = b"age-encryption.org/";

/// Work of scrypt for a passphrase, as a power of two: about a second and 256 MiB.
const WORK: u8 = 18;

/// The most work that a file may ask of us, so that a forged one does not take hours and gigabytes.
const MOST_WORK: u8 = 20;

/// Fewest characters of a passphrase: whoever gets hold of the file may guess for as long as he likes.
const SHORTEST_PASSPHRASE: usize = 12;

/// For whom a file is sealed.
#[derive(Clone)]
pub enum FileSeal {
    /// Each of these can open it.
    Recipients(Vec<AgeRecipient>),
    /// Whoever knows the passphrase can open it.
    Passphrase(Secret),
}

impl FileSeal {
    /// Reads recipients, `age1...`.
    ///
    /// # Errors
    /// `invalid_field` when one of them is none, or when there are none.
    pub fn recipients<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, Problem> {
        let recipients = texts.into_iter().map(AgeRecipient::parse).collect::<Result<Vec<_>, _>>()?;
        if recipients.is_empty() {
            return Err(Problem::new(Code::InvalidField, "A sealed file needs somebody who can open it. Give an age recipient, a line that begins with age1."));
        }
        Ok(Self::Recipients(recipients))
    }

    /// Takes a passphrase.
    ///
    /// # Errors
    /// `weak_password` for a short one.
    pub fn passphrase(passphrase: Secret) -> Result<Self, Problem> {
        if passphrase.expose().chars().count() < SHORTEST_PASSPHRASE {
            return Err(Problem::new(
                Code::WeakPassword,
                format!(
                    "The passphrase of the file is shorter than {SHORTEST_PASSPHRASE} characters. Choose a longer one, or seal to an age recipient: whoever gets the file can guess for as long as he likes."
                ),
            ));
        }
        Ok(Self::Passphrase(passphrase))
    }
}

/// What opens a sealed file.
pub enum FileKey {
    /// One of these.
    Identities(Vec<AgeIdentity>),
    /// The passphrase.
    Passphrase(Secret),
}

impl FileKey {
    /// Reads a file of identities as age-keygen writes it: one per line, with comments.
    ///
    /// # Errors
    /// `invalid_field` when a line is none, or when there are none; nothing of the text is repeated.
    pub fn identities(text: &Secret) -> Result<Self, Problem> {
        let lines = text.expose().lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let identities = lines.map(|line| AgeIdentity::parse(&Secret::new(line))).collect::<Result<Vec<_>, _>>()?;
        if identities.is_empty() {
            return Err(Problem::new(Code::InvalidField, "The file has no age identity. It must have a line that begins with AGE-SECRET-KEY-1, as age-keygen writes it."));
        }
        Ok(Self::Identities(identities))
    }
}

/// Seals what is written to it. Without [`Self::finish`] the file is cut off, and does not open.
pub struct SealedWriter<W: Write>(StreamWriter<W>);

impl<W: Write> SealedWriter<W> {
    /// Writes the end.
    ///
    /// # Errors
    /// Those of the writer below.
    pub fn finish(self) -> io::Result<W> {
        self.0.finish()
    }
}

impl<W: Write> Write for SealedWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Begins a sealed file. With a passphrase it takes about a second and 256 MiB: run it off the async runtime. The
/// randomness of it is age's own, from the operating system.
///
/// # Errors
/// Those of the writer below; `internal` when sealing fails, which cannot be brought about.
pub fn seal_file<W: Write>(seal: &FileSeal, output: W) -> Result<io::Result<SealedWriter<W>>, Problem> {
    let unsealable = |_| Problem::internal("a file could not be sealed with age");
    let encryptor = match seal {
        FileSeal::Recipients(recipients) => Encryptor::with_recipients(recipients.iter().map(AgeRecipient::for_age)).map_err(unsealable)?,
        FileSeal::Passphrase(passphrase) => {
            let mut recipient = age::scrypt::Recipient::new(SecretString::from(passphrase.expose().to_owned()));
            recipient.set_work_factor(WORK);
            Encryptor::with_recipients(iter::once(&recipient as &dyn age::Recipient)).map_err(unsealable)?
        }
    };
    Ok(encryptor.wrap_output(output).map(SealedWriter))
}

/// Gives the text of a sealed file. A changed or cut-off file ends in an error, never in a wrong text; what comes before the
/// change is given.
pub struct OpenedReader<R: Read>(StreamReader<R>);

impl<R: Read> Read for OpenedReader<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        // age tells a broken chunk by a kind of its own; here it is told from a disk that fails.
        self.0.read(bytes).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof | io::ErrorKind::Other => io::Error::new(io::ErrorKind::InvalidData, error),
            _ => error,
        })
    }
}

/// Whether these are the first bytes of an age file.
///
/// # Errors
/// Those of the reader.
pub fn is_sealed_file(input: &mut impl BufRead) -> io::Result<bool> {
    Ok(input.fill_buf()?.starts_with(MAGIC))
}

/// Opens a sealed file. With a passphrase it takes about a second and 256 MiB: run it off the async runtime.
///
/// # Errors
/// `seal_broken` when it was sealed to others, with another passphrase, or is damaged at its beginning; `invalid_field` when
/// it needs a passphrase and an identity was given, or the other way round.
pub fn open_file<R: BufRead>(key: &FileKey, input: R) -> Result<OpenedReader<R>, Problem> {
    let decryptor = Decryptor::new_buffered(input).map_err(|error| match error {
        DecryptError::Io(error) if error.kind() != io::ErrorKind::UnexpectedEof && error.kind() != io::ErrorKind::InvalidData => {
            Problem::new(Code::InvalidField, format!("The file cannot be read: {error}. Check the disk that it lies on."))
        }
        _ => Problem::new(Code::SealBroken, "The file is no age file, or it is damaged at its very beginning. Name another file."),
    })?;
    let opened = match (key, decryptor.is_scrypt()) {
        (FileKey::Passphrase(_), false) => {
            return Err(Problem::new(Code::InvalidField, "The file is sealed to age recipients, not with a passphrase. Name the file of the identity."));
        }
        (FileKey::Identities(_), true) => return Err(Problem::new(Code::InvalidField, "The file is sealed with a passphrase, not to an age recipient. Give the passphrase.")),
        (FileKey::Passphrase(passphrase), true) => {
            let mut identity = age::scrypt::Identity::new(SecretString::from(passphrase.expose().to_owned()));
            identity.set_max_work_factor(MOST_WORK);
            decryptor.decrypt(iter::once(&identity as &dyn age::Identity))
        }
        (FileKey::Identities(identities), false) => decryptor.decrypt(identities.iter().map(AgeIdentity::for_age)),
    };
    opened.map(OpenedReader).map_err(|error| match (error, key) {
        (DecryptError::ExcessiveWork { .. }, _) => {
            Problem::new(Code::SealBroken, "The file asks for more work than any passphrase of Patchbay takes. It was not written by Patchbay.")
        }
        (_, FileKey::Passphrase(_)) => Problem::new(Code::SealBroken, "The file does not open with this passphrase. Give the one that it was sealed with."),
        (_, FileKey::Identities(_)) => Problem::new(Code::SealBroken, "The file does not open with this identity. It was sealed to another recipient, or it is damaged."),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (FileSeal, FileKey, AgeIdentity) {
        let identity = AgeIdentity::generate();
        let again = AgeIdentity::parse(&identity.to_text()).ok().unwrap();
        (FileSeal::Recipients(vec![identity.recipient()]), FileKey::Identities(vec![again]), identity)
    }

    fn sealed(seal: &FileSeal, text: &[u8]) -> Vec<u8> {
        let mut writer = seal_file(seal, Vec::new()).unwrap().unwrap();
        writer.write_all(text).unwrap();
        writer.finish().unwrap()
    }

    fn opened(key: &FileKey, bytes: &[u8]) -> Result<Vec<u8>, String> {
        let mut text = Vec::new();
        let mut reader = open_file(key, bytes).map_err(|problem| problem.code.as_str().to_owned())?;
        reader.read_to_end(&mut text).map(|_| text).map_err(|error| error.kind().to_string())
    }

    #[test]
    fn a_file_opens_whole_and_with_its_own_key_alone() {
        let (seal, key, _) = pair();
        let text: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
        let file = sealed(&seal, &text);
        assert!(is_sealed_file(&mut &file[..]).unwrap() && !is_sealed_file(&mut &b"{}"[..]).unwrap());
        assert_eq!(opened(&key, &file).unwrap(), text);
        assert_eq!(opened(&pair().1, &file).unwrap_err(), "seal_broken", "another identity");
        assert_eq!(opened(&FileKey::Passphrase(Secret::new("a long passphrase")), &file).unwrap_err(), "invalid_field");
        for length in [0, 1, 50, 150, 300, 65_536, file.len() / 2, file.len() - 16, file.len() - 1] {
            assert!(opened(&key, &file[..length]).is_err(), "{length} bytes of {} must not pass for the whole", file.len());
        }
        for place in (0..file.len()).step_by(file.len() / 97) {
            let mut changed = file.clone();
            changed[place] ^= 1;
            assert!(opened(&key, &changed).is_err(), "a changed byte at {place} is noticed");
        }
    }

    #[test]
    fn a_file_with_a_passphrase_opens_with_it_and_no_other() {
        assert_eq!(FileSeal::passphrase(Secret::new("short")).err().unwrap().code, Code::WeakPassword);
        let file = sealed(&FileSeal::passphrase(Secret::new("a long passphrase")).ok().unwrap(), b"text");
        assert_eq!(opened(&FileKey::Passphrase(Secret::new("a long passphrase")), &file).unwrap(), b"text");
        assert_eq!(opened(&FileKey::Passphrase(Secret::new("a long passphrasE")), &file).unwrap_err(), "seal_broken");
        assert_eq!(opened(&pair().1, &file).unwrap_err(), "invalid_field");
    }

    #[test]
    fn identities_are_read_as_age_keygen_writes_them() {
        let (_, _, identity) = pair();
        let text = format!("# created: today\n# public key: {}\n{}\n", identity.recipient(), identity.to_text().expose());
        assert!(matches!(FileKey::identities(&Secret::new(text)), Ok(FileKey::Identities(list)) if list.len() == 1));
        for bad in ["", "# nothing\n", "age1xyz", "hello"] {
            let problem = FileKey::identities(&Secret::new(bad)).err().unwrap();
            assert!(problem.code == Code::InvalidField && (bad.is_empty() || !problem.message.contains(bad.trim())), "{}", problem.message);
        }
        assert!(FileSeal::recipients([]).is_err() && FileSeal::recipients(["age1nonsense"]).is_err());
    }
}

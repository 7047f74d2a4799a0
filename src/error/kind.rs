/// What went wrong, as far as a caller has to react differently.
///
/// A kind exists only where the exit code, the retry or the person's next step differs; everything finer is the
/// error's detail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// A defect of this program.
    Bug,
    /// The command line does not say something that can be done.
    Usage,
    /// A configuration file or an environment variable is unusable.
    Config,
    /// Verification or a drill found damage.
    Damage,
    /// The work was done in part only.
    Partial,
    /// Refused for safety: nothing was changed.
    Refused,
    /// The server cannot be reached, or the connection broke.
    Connect,
    /// The server answered a statement with an error.
    Server,
    /// The store cannot be reached, or denied the request.
    Store,
    /// The store asks to slow down, or failed in a way that passes.
    Throttled,
    /// The archive is damaged, or of a kind that this program does not read.
    Archive,
    /// The archive cannot be decrypted.
    Decrypt,
    /// Another run or another session holds what is needed.
    Locked,
    /// The local disk is full or failed.
    Disk,
    /// The server refused the user or the password.
    Authentication,
    /// The database does not exist on the server.
    NoDatabase,
    /// Row-level security would hide rows from this role.
    RowSecurity,
    /// The bucket does not exist.
    NoBucket,
    /// Stopped by a signal.
    Interrupted,
}

/// Whether trying again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// The same request fails again.
    Never,
    /// The same request may pass after a pause.
    Backoff,
}

impl ErrorKind {
    /// Every kind, for tables and tests.
    pub const ALL: [Self; 19] = [
        Self::Bug,
        Self::Usage,
        Self::Config,
        Self::Damage,
        Self::Partial,
        Self::Refused,
        Self::Connect,
        Self::Server,
        Self::Store,
        Self::Throttled,
        Self::Archive,
        Self::Decrypt,
        Self::Locked,
        Self::Disk,
        Self::Authentication,
        Self::NoDatabase,
        Self::RowSecurity,
        Self::NoBucket,
        Self::Interrupted,
    ];

    /// The exit code of the program when this kind ends it.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Bug => 1,
            Self::Usage => 2,
            Self::Config => 3,
            Self::Damage => 4,
            Self::Partial => 5,
            Self::Refused => 6,
            Self::Connect => 10,
            Self::Server => 11,
            Self::Store | Self::Throttled => 12,
            Self::Archive => 13,
            Self::Decrypt => 14,
            Self::Locked => 15,
            Self::Disk => 16,
            Self::Authentication => 17,
            Self::NoDatabase => 18,
            Self::RowSecurity => 19,
            Self::NoBucket => 20,
            Self::Interrupted => 130,
        }
    }

    /// Whether the operation that failed may be tried again as it is.
    pub const fn retry(self) -> Retry {
        match self {
            Self::Throttled => Retry::Backoff,
            Self::Bug
            | Self::Usage
            | Self::Config
            | Self::Damage
            | Self::Partial
            | Self::Refused
            | Self::Connect
            | Self::Server
            | Self::Store
            | Self::Archive
            | Self::Decrypt
            | Self::Locked
            | Self::Disk
            | Self::Authentication
            | Self::NoDatabase
            | Self::RowSecurity
            | Self::NoBucket
            | Self::Interrupted => Retry::Never,
        }
    }

    /// One line that says what the exit code means, for the README and `--help`.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Bug => "a defect of this program",
            Self::Usage => "the command line cannot be understood",
            Self::Config => "the configuration cannot be used",
            Self::Damage => "verification or a drill found damage",
            Self::Partial => "done in part; what was left out is named",
            Self::Refused => "refused for safety; nothing was changed",
            Self::Connect => "cannot connect to the server, or the connection broke",
            Self::Server => "the server refused a statement",
            Self::Store => "the store cannot be reached or denied the request",
            Self::Throttled => "the store stayed overloaded through every retry",
            Self::Archive => "the archive is damaged or not supported",
            Self::Decrypt => "the archive cannot be decrypted",
            Self::Locked => "another run or session holds a lock",
            Self::Disk => "the local disk is full or failed",
            Self::Authentication => "the server refused the user or the password",
            Self::NoDatabase => "the database does not exist",
            Self::RowSecurity => "row-level security would hide rows from this role",
            Self::NoBucket => "the bucket does not exist",
            Self::Interrupted => "stopped by a signal",
        }
    }
}

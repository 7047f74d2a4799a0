//! Rows and large objects from one connection to its thread.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::keeper::KeeperLink;
use super::press::{Command, Content, Framing, Made, Press};
use super::queue::Queue;
use crate::archive::custom::{BlockKind, encode_block_begin, encode_large_object_begin, encode_large_objects_end};
use crate::archive::insert_text::{InsertWriter, Literal};
use crate::error::{Error, ErrorKind, Result};
use crate::object::table_data::BlockCopy;
use crate::object::{DataSource, InsertForm};
use crate::server::{self, Connection, Pass, is_lock_timeout};

/// Large objects that are asked for in one query, and how much of each: 16 times 256 KiB come back as 8 MiB of
/// hexadecimal digits.
const OBJECTS: usize = 16;
const OBJECT_RANGE: usize = 256 << 10;

/// Files of one worker that are begun and not yet written. A store may be slow and each file small, so that the budget for bytes
/// does not count: 300,000 large objects must not lie in memory.
///
/// It cannot deadlock: a worker waits with the next file for its earlier ones, whose bytes are all on their way.
pub(super) const FILES: usize = 8;

const LITERALS: &str = include_str!("../../sql/session/literal.sql");

/// One entry's data.
#[derive(Clone, Debug)]
pub(super) struct Job {
    /// Its entry's number.
    pub(super) dump_id: i32,
    /// What a person calls it.
    pub(super) name: Arc<str>,
    /// Where its bytes come from.
    pub(super) source: Arc<DataSource>,
    /// The table that they are the rows of, or 0.
    pub(super) table_oid: u32,
    /// The table's name for SQL, where it is one that can be locked.
    pub(super) lock: Option<Arc<str>>,
    /// Which rows of a table, where several jobs share one.
    pub(super) slice: Option<Slice>,
}

/// A stretch of a large table's rows, which a job of its own copies. The jobs of one table follow each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Slice {
    pub(super) copy: Arc<BlockCopy>,
    /// The block that it begins with.
    pub(super) from: u32,
    /// The block that the next one begins with; the last one has no end.
    pub(super) to: Option<u32>,
}

impl Job {
    /// Whether its entry's bytes begin with its own.
    fn is_first(&self) -> bool {
        self.slice.as_ref().is_none_or(|slice| slice.from == 0)
    }

    /// Whether its entry's bytes end with its own.
    pub(super) fn is_last(&self) -> bool {
        self.slice.as_ref().is_none_or(|slice| slice.to.is_none())
    }
}

/// A stretch of the archive that a job begins: the receiving end, and what it is.
pub(super) struct Part {
    /// The job's place in the archive.
    pub(super) index: usize,
    /// The large object that this is, where each has a file of its own.
    pub(super) object: Option<u32>,
    /// Its bytes.
    pub(super) made: mpsc::UnboundedReceiver<Made>,
    /// Whether they come out of a file, so that nobody waits for them to be taken.
    pub(super) is_aside: bool,
    /// Where each stretch is a file, the room that this one takes until it is written.
    pub(super) room: Option<OwnedSemaphorePermit>,
}

/// One connection that copies until the queue is empty.
pub(super) struct Worker {
    pub(super) connection: Connection,
    pub(super) queue: Arc<Queue>,
    pub(super) parts: mpsc::UnboundedSender<Part>,
    pub(super) framing: Framing,
    pub(super) press: Press,
    /// Who holds the locks of all tables; `None` where this worker's own session does.
    pub(super) keeper: Option<KeeperLink>,
    /// How long to try to get a lock.
    pub(super) patience: Duration,
    /// Whether it copies only tables that somebody waits for.
    pub(super) only_wanted: bool,
    /// Room for files that are not written yet.
    pub(super) files: Arc<Semaphore>,
}

/// Locks of one job are behind this savepoint, so that they are let go with it.
const SAVEPOINT: &str = "pgproof_copy";
const ROLL_BACK: &str = "rollback to savepoint pgproof_copy; release savepoint pgproof_copy";

/// The first pause when an index of a table is not free.
const INDEX_PAUSE: Duration = Duration::from_millis(200);

fn lock_nowait(table: &str) -> String {
    format!("savepoint {SAVEPOINT}; lock table only {table} in access share mode nowait")
}

impl Worker {
    /// Copies until no job is left, and gives the session back with its transaction open.
    pub(super) async fn run(mut self) -> Result<Connection> {
        let queue = Arc::clone(&self.queue);
        while let Some((index, job)) = if self.only_wanted { queue.take_wanted() } else { queue.take() } {
            let copied = match &*job.source {
                DataSource::Table { copy_out, is_foreign, inserts, .. } => {
                    let inserts = self.insert_writer(job, inserts.as_ref()).await?;
                    match is_foreign {
                        false => self.table(index, job, copy_out, inserts).await,
                        true => self.foreign_table(index, job, copy_out, inserts).await,
                    }
                }
                DataSource::LargeObjects(oids) => self.large_objects(index, job.dump_id, oids).await,
            };
            copied.map_err(|error| error.context(&format!("could not copy {}", job.name)))?;
            queue.finished(job);
        }
        self.press.finish().await?;
        Ok(self.connection)
    }

    /// Begins a stretch of the archive; the writer gets its receiving end.
    async fn open(&mut self, index: usize, object: Option<u32>) -> Result<()> {
        let room = match self.framing {
            Framing::Files => Arc::clone(&self.files).acquire_owned().await.ok(), // never closed
            Framing::Blocks | Framing::Script => None,
        };
        let (out, made) = mpsc::unbounded_channel();
        // a writer that is gone has failed and says so itself
        let _ = self.parts.send(Part { index, object, made, is_aside: false, room });
        self.press.send(Command::Open(out)).await
    }

    /// The session forbids foreign tables, for what the catalog's functions may be made to read; for this one it allows them.
    async fn foreign_table(
        &mut self,
        index: usize,
        job: &Job,
        whole: &str,
        inserts: Option<Box<InsertWriter>>,
    ) -> Result<()> {
        self.restrict("view").await?;
        self.table(index, job, whole, inserts).await?;
        self.restrict("view, foreign-table").await
    }

    /// Servers patched since August 2024 have this parameter.
    async fn restrict(&mut self, kinds: &str) -> Result<()> {
        const SQL: &str = "select pg_catalog.set_config(name, $1, false) from pg_catalog.pg_settings \
             where name = 'restrict_nonsystem_relation_kind'";
        self.connection.query(SQL, &[Some(kinds)]).await.map(|_| ())
    }

    /// What makes statements of a table's rows: how a value is written depends on its type.
    async fn insert_writer(&mut self, job: &Job, form: Option<&InsertForm>) -> Result<Option<Box<InsertWriter>>> {
        let Some(form) = form else { return Ok(None) };
        let oid = job.table_oid.to_string();
        let rows = self.connection.query(LITERALS, &[Some(&oid)]).await?;
        let literals: std::result::Result<Vec<Literal>, _> =
            rows.iter().map(|row| row.oid("type").map(Literal::of_type)).collect();
        let literals = literals.map_err(|error| Error::new(ErrorKind::Server, "query \"literal\"").caused_by(error))?;
        Ok(Some(Box::new(InsertWriter::new(form.clone(), literals))))
    }

    async fn table(&mut self, index: usize, job: &Job, whole: &str, inserts: Option<Box<InsertWriter>>) -> Result<()> {
        self.open(index, None).await?;
        if self.framing == Framing::Blocks && job.is_first() {
            let mut begin = BytesMut::new();
            encode_block_begin(BlockKind::Rows, job.dump_id, &mut begin);
            self.press.send(Command::Raw(begin.freeze())).await?;
        }
        self.press.send(Command::Begin(Content::Rows { inserts })).await?;
        let copy_sql = match &job.slice {
            Some(slice) => slice.copy.statement(slice.from, slice.to),
            None => whole.to_owned(),
        };
        let sql = self.begin_table(job, &copy_sql).await?;
        match self.connection.begin_copy_out(&sql).await {
            Ok(()) => {}
            Err(error) if is_lock_timeout(&error) && self.keeper.is_some() && job.slice.is_none() => {
                self.roll_back().await?;
                self.lock_past_waiters(job).await?;
                self.connection.begin_copy_out(&format!("{copy_sql} {ROLL_BACK}")).await?;
            }
            Err(error) => return Err(error),
        }
        let mut copy = self.connection.copying_out();
        self.queue.held(job);
        let mut counted = 0;
        while let Some(chunk) = copy.next().await? {
            self.queue.count(chunk.len(), copy.row_count() - counted);
            counted = copy.row_count();
            self.press.send(Command::Data(chunk)).await?;
        }
        let row_count = copy.finish().await?;
        self.press.send(Command::End { claimed: Some(row_count), is_last: job.is_last() }).await?;
        self.press.send(Command::Close).await
    }

    /// The statements that copy a job's rows under its table's lock, which is let go as soon as the last row is sent. All in one
    /// message: for small tables a round trip costs more than the rows.
    async fn begin_table(&mut self, job: &Job, copy_sql: &str) -> Result<String> {
        Ok(match (&job.lock, &job.slice) {
            (None, _) => copy_sql.to_owned(),
            // without a keeper the session has the locks of all tables itself
            (Some(_), None) if self.keeper.is_none() => copy_sql.to_owned(),
            (Some(table), None) => format!("{}; {copy_sql} {ROLL_BACK}", lock_nowait(table)),
            (Some(table), Some(_)) => {
                self.lock_with_indexes(job, table, copy_sql).await?;
                format!("{copy_sql} {ROLL_BACK}")
            }
        })
    }

    /// Locks the table of a slice, and sees to it that the indexes which its query may use can be locked, too: the planner locks
    /// them, and REINDEX keeps them for itself.
    async fn lock_with_indexes(&mut self, job: &Job, table: &str, copy_sql: &str) -> Result<()> {
        let begun = Instant::now();
        let plan = copy_sql.trim_start_matches("COPY (").rsplit_once(") TO stdout;").map(|(query, _)| query);
        loop {
            match self.connection.execute(&lock_nowait(table)).await {
                Ok(()) => {}
                Err(error) if is_lock_timeout(&error) => {
                    self.roll_back().await?;
                    self.lock_past_waiters(job).await?;
                }
                Err(error) => return Err(error),
            }
            let Some(query) = plan else { return Ok(()) };
            let probe = format!("set local lock_timeout = '500ms'; explain {query}; set local lock_timeout = 0");
            match self.connection.execute(&probe).await {
                Ok(()) => return Ok(()),
                Err(error) if is_lock_timeout(&error) => {
                    self.roll_back().await?;
                    if self.queue.board().is_wanted(job.table_oid) && begun.elapsed() >= self.patience {
                        return Err(error.context("an index is locked"));
                    }
                    tokio::time::sleep(INDEX_PAUSE).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Locks a job's table, which others wait for, without queueing up behind them.
    async fn lock_past_waiters(&mut self, job: &Job) -> Result<()> {
        let Some(table) = &job.lock else { return Ok(()) };
        let begun = Instant::now();
        loop {
            match self.pass_waiters(table).await {
                Err(error) if is_lock_timeout(&error) && begun.elapsed() < self.patience => {}
                ended => return ended,
            }
        }
    }

    async fn pass_waiters(&mut self, table: &str) -> Result<()> {
        let Some(keeper) = self.keeper.clone() else { return Ok(()) };
        let pass = Pass::random();
        pass.hold(&mut self.connection).await?;
        let connection = &mut self.connection;
        let take = async {
            let taken = server::lock_past_waiters(connection, SAVEPOINT, table).await;
            pass.release(connection).await?;
            taken
        };
        let (taken, waited) = futures_util::future::join(take, keeper.wait_for(pass)).await;
        waited?;
        taken
    }

    async fn roll_back(&mut self) -> Result<()> {
        self.connection.execute(ROLL_BACK).await
    }

    /// In one file, all large objects of an entry are one stretch; in a directory and in a tar archive each is a file.
    async fn large_objects(&mut self, index: usize, dump_id: i32, oids: &[u32]) -> Result<()> {
        match self.framing {
            Framing::Blocks => {
                self.open(index, None).await?;
                let mut begin = BytesMut::new();
                encode_block_begin(BlockKind::LargeObjects, dump_id, &mut begin);
                self.press.send(Command::Raw(begin.freeze())).await?;
            }
            Framing::Files => {}
            Framing::Script => self.open(index, None).await?,
        }
        for batch in oids.chunks(OBJECTS) {
            for (oid, first) in self.object_begins(batch).await? {
                self.large_object(index, oid, first).await?;
            }
        }
        match self.framing {
            Framing::Blocks => {
                let mut end = BytesMut::new();
                encode_large_objects_end(&mut end);
                self.press.send(Command::Raw(end.freeze())).await?;
                self.press.send(Command::Close).await?;
            }
            Framing::Files => {}
            Framing::Script => self.press.send(Command::Close).await?,
        }
        Ok(())
    }

    async fn large_object(&mut self, index: usize, oid: u32, first: Bytes) -> Result<()> {
        match self.framing {
            Framing::Blocks => {
                let mut begin = BytesMut::new();
                encode_large_object_begin(oid, &mut begin);
                self.press.send(Command::Raw(begin.freeze())).await?;
            }
            Framing::Files => self.open(index, Some(oid)).await?,
            Framing::Script => {}
        }
        self.press.send(Command::Begin(Content::Object { oid })).await?;
        let mut offset = 0;
        let mut piece = first;
        loop {
            let is_last = piece.len() < OBJECT_RANGE;
            offset += piece.len();
            self.queue.count(piece.len(), 0);
            if !piece.is_empty() {
                self.press.send(Command::Data(piece)).await?;
            }
            if is_last {
                break;
            }
            piece = self.object_range(oid, offset).await?;
        }
        self.queue.count(0, 1);
        self.press.send(Command::End { claimed: None, is_last: true }).await?;
        match self.framing {
            Framing::Blocks | Framing::Script => Ok(()),
            Framing::Files => self.press.send(Command::Close).await,
        }
    }

    /// The first bytes of a few large objects in one round trip: most are small.
    async fn object_begins(&mut self, oids: &[u32]) -> Result<Vec<(u32, Bytes)>> {
        const SQL: &str = "select wanted.oid, pg_catalog.lo_get(wanted.oid, 0, $2::pg_catalog.int4) as content \
             from pg_catalog.unnest($1::pg_catalog.oid[]) with ordinality as wanted (oid, place) order by wanted.place";
        let list: Vec<String> = oids.iter().map(u32::to_string).collect();
        let list = format!("{{{}}}", list.join(","));
        let rows = self.connection.query(SQL, &[Some(&list), Some(&OBJECT_RANGE.to_string())]).await?;
        if rows.len() != oids.len() {
            return Err(Error::new(ErrorKind::Server, "the server left large objects out"));
        }
        rows.iter()
            .map(|row| Ok((row.oid("oid").map_err(garbled)?, hexadecimal(row.text("content").map_err(garbled)?)?)))
            .collect()
    }

    async fn object_range(&mut self, oid: u32, offset: usize) -> Result<Bytes> {
        const SQL: &str =
            "select pg_catalog.lo_get($1::pg_catalog.oid, $2::pg_catalog.int8, $3::pg_catalog.int4) as content";
        let parameters = [oid.to_string(), offset.to_string(), OBJECT_RANGE.to_string()];
        let [oid, offset, range] = &parameters;
        let row = self.connection.query_one(SQL, &[Some(oid), Some(offset), Some(range)]).await?;
        hexadecimal(row.text("content").map_err(garbled)?)
    }
}

fn garbled(error: crate::record::DecodeError) -> Error {
    Error::new(ErrorKind::Server, "a large object's bytes are not what was asked for").caused_by(error)
}

/// The bytes of a `bytea` in its hexadecimal form, which the session pins.
fn hexadecimal(text: &str) -> Result<Bytes> {
    text.strip_prefix("\\x").and_then(|digits| hex::decode(digits).ok()).map(Bytes::from).ok_or_else(|| {
        Error::new(ErrorKind::Server, "a large object's bytes are not what was asked for").detail("not hexadecimal")
    })
}

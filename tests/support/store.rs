//! A bucket of a test's own on the S3 server.

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    BucketVersioningStatus, DefaultRetention, ObjectLockConfiguration, ObjectLockEnabled, ObjectLockRetentionMode,
    ObjectLockRule, VersioningConfiguration,
};
use tokio::runtime::Runtime;

use super::{required_variable, unique_name};

/// A bucket that is emptied and removed when the value is dropped.
pub(crate) struct Bucket {
    pub(crate) name: String,
    pub(crate) endpoint: String,
    key: String,
    secret: String,
    client: Client,
    runtime: Runtime,
}

impl Bucket {
    /// Makes a bucket with a name of its own.
    pub(crate) fn new() -> Self {
        Self::made(false)
    }

    /// The same, in which objects can be locked.
    pub(crate) fn lockable() -> Self {
        Self::made(true)
    }

    fn made(locks: bool) -> Self {
        let endpoint = required_variable("PGPROOF_TEST_S3_ENDPOINT");
        let key = required_variable("PGPROOF_TEST_S3_KEY");
        let secret = required_variable("PGPROOF_TEST_S3_SECRET");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(&endpoint)
            .credentials_provider(Credentials::new(&key, &secret, None, None, "test"))
            .force_path_style(true)
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build();
        let client = Client::from_conf(config);
        let name = unique_name("t-");
        let create = client.create_bucket().bucket(&name).object_lock_enabled_for_bucket(locks);
        runtime.block_on(create.send()).expect("the S3 server makes a bucket");
        Self { name, endpoint, key, secret, client, runtime }
    }

    /// Has the bucket keep a version of whatever is deleted or overwritten from now on.
    pub(crate) fn keep_versions(&self) {
        let wanted = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
        let put = self.client.put_bucket_versioning().bucket(&self.name).versioning_configuration(wanted);
        self.runtime.block_on(put.send()).expect("the bucket keeps versions");
    }

    /// Has the bucket lock each new object for a day. It must have been made by [`Bucket::lockable`].
    pub(crate) fn lock_for_a_day(&self) {
        let day = DefaultRetention::builder().mode(ObjectLockRetentionMode::Governance).days(1).build();
        let wanted = ObjectLockConfiguration::builder()
            .object_lock_enabled(ObjectLockEnabled::Enabled)
            .rule(ObjectLockRule::builder().default_retention(day).build())
            .build();
        let put = self.client.put_object_lock_configuration().bucket(&self.name).object_lock_configuration(wanted);
        self.runtime.block_on(put.send()).expect("the bucket locks objects");
    }

    /// What `--store` takes.
    pub(crate) fn url(&self) -> String {
        format!("s3://{}/backups", self.name)
    }

    /// The environment in which the program finds this bucket; another endpoint stands for a proxy before the server.
    pub(crate) fn environment(&self, endpoint: Option<&str>) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ENDPOINT_URL", endpoint.unwrap_or(&self.endpoint).to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", self.key.clone()),
            ("AWS_SECRET_ACCESS_KEY", self.secret.clone()),
        ]
    }

    /// Every key, in order.
    pub(crate) fn keys(&self) -> Vec<String> {
        let mut pages = self.client.list_objects_v2().bucket(&self.name).into_paginator().send();
        self.runtime.block_on(async {
            let mut keys = Vec::new();
            while let Some(page) = pages.next().await {
                keys.extend(page.expect("a listing").contents().iter().filter_map(|o| o.key().map(str::to_owned)));
            }
            keys
        })
    }

    /// The bytes of an object.
    pub(crate) fn get(&self, key: &str) -> Vec<u8> {
        self.runtime.block_on(async {
            let object =
                self.client.get_object().bucket(&self.name).key(key).send().await.expect("the object is there");
            object.body.collect().await.expect("the object can be read").to_vec()
        })
    }

    /// Replaces an object.
    pub(crate) fn put(&self, key: &str, bytes: Vec<u8>) {
        let put = self.client.put_object().bucket(&self.name).key(key).body(ByteStream::from(bytes));
        self.runtime.block_on(put.send()).expect("the object is written");
    }

    /// From now on whoever uses the bucket may add and read, and not delete.
    pub(crate) fn forbid_deletions(&self) {
        let resource = format!("arn:aws:s3:::{}/*", self.name);
        let policy = serde_json::json!({
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject", "Resource": [resource]}],
        });
        let put = self.client.put_bucket_policy().bucket(&self.name).policy(policy.to_string());
        self.runtime.block_on(put.send()).expect("the server takes a policy");
        self.put("probe-of-the-policy", b"x".to_vec());
        let deleted = self.client.delete_object().bucket(&self.name).key("probe-of-the-policy").send();
        assert!(self.runtime.block_on(deleted).is_err(), "the server keeps the policy");
    }

    /// Ends [`Bucket::forbid_deletions`].
    pub(crate) fn allow_deletions(&self) {
        let deleted = self.client.delete_bucket_policy().bucket(&self.name).send();
        self.runtime.block_on(deleted).expect("the policy is removed");
    }

    /// Multipart uploads that nobody has completed or aborted: each costs its owner money for ever.
    pub(crate) fn open_uploads(&self) -> Vec<String> {
        let list = self.client.list_multipart_uploads().bucket(&self.name).send();
        let list = self.runtime.block_on(list).expect("a listing of uploads");
        list.uploads().iter().filter_map(|upload| upload.key().map(str::to_owned)).collect()
    }
}

impl Drop for Bucket {
    fn drop(&mut self) {
        // The server is thrown away after the tests; what cannot be removed here does no harm.
        if std::thread::panicking() {
            return;
        }
        for key in self.keys() {
            drop(self.runtime.block_on(self.client.delete_object().bucket(&self.name).key(key).send()));
        }
        drop(self.runtime.block_on(self.client.delete_bucket().bucket(&self.name).send()));
    }
}

//! Checks the body of a listing before `object_store` reads it.
//!
//! `object_store` takes any XML for a listing: an error page with the status 200 would be an empty directory. It also refuses a whole
//! page for one key that is not a path, and shows the marker of a folder (`a/b/`) as the object `a/b`. So the root element and its
//! required members are checked here, and entries that `object_store` cannot represent are taken out.
//!
//! Formats: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>,
//! <https://cloud.google.com/storage/docs/xml-api/get-bucket-list>,
//! <https://learn.microsoft.com/en-us/rest/api/storageservices/list-blobs>.

use std::ops::Range;

use bytes::Bytes;
use quick_xml::Reader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesStart, Event};

/// The format of a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `ListBucketResult`, of S3 and Google.
    Bucket,
    /// `EnumerationResults`, of Azure.
    Container,
}

/// Keys of a page that are no readable objects. They are not among its objects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Aside {
    /// Markers of folders: their keys end with a slash.
    pub(super) markers: Vec<String>,
    /// Keys that are not paths: with an empty part, with `.` or `..` as a part, or with control characters.
    pub(super) no_paths: Vec<String>,
    /// Objects in an archive storage class, which can be read only after they are restored. They stay among the objects of the page.
    pub(super) frozen: Vec<String>,
}

/// A body that is no listing, or not a whole one.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the answer is not a listing: {0}; check the endpoint, and whether a proxy or a login page answers for the store")]
pub(super) struct NotAListing(String);

/// Checks a body. Returns it without the entries that `object_store` cannot represent.
///
/// # Errors
/// The root element is another one, a required member is missing, or the XML ends early.
pub(super) fn check(body: &Bytes, form: Form) -> Result<(Bytes, Aside), NotAListing> {
    let mut page = Page::new(form);
    let mut reader = Reader::from_reader(&body[..]);
    loop {
        let start = position(&reader);
        let event = reader.read_event().map_err(|error| NotAListing(format!("its XML is damaged ({error})")))?;
        match event {
            Event::Start(tag) => page.open(&tag, start)?,
            Event::Empty(tag) => {
                page.open(&tag, start)?;
                page.close(position(&reader));
            }
            Event::End(_) => page.close(position(&reader)),
            Event::Text(text) => page.text(text.decode().ok().as_deref()),
            Event::CData(text) => page.text(std::str::from_utf8(&text).ok()),
            Event::GeneralRef(reference) => {
                let named = reference.decode().ok().and_then(|name| resolve_xml_entity(&name));
                match (named, reference.resolve_char_ref()) {
                    (Some(text), _) => page.text(Some(text)),
                    (None, Ok(Some(character))) => page.text(Some(character.encode_utf8(&mut [0; 4]))),
                    _ => page.text(None),
                }
            }
            Event::Eof => break,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
    page.finish(body)
}

fn position(reader: &Reader<&[u8]>) -> usize {
    usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX)
}

/// An object or a folder of the page.
#[derive(Default)]
struct Entry {
    start: usize,
    is_object: bool,
    key: String,
    /// Whether the key cannot be decoded.
    undecodable: bool,
    class: String,
}

struct Page {
    form: Form,
    /// Local names of the open elements.
    open: Vec<Vec<u8>>,
    has_root: bool,
    ended: bool,
    name: bool,
    is_truncated: Option<String>,
    counted: bool,
    token: Option<String>,
    blobs: bool,
    entry: Option<Entry>,
    cuts: Vec<Range<usize>>,
    aside: Aside,
}

impl Page {
    fn new(form: Form) -> Self {
        Self {
            form,
            open: Vec::new(),
            has_root: false,
            ended: false,
            name: false,
            is_truncated: None,
            counted: false,
            token: None,
            blobs: false,
            entry: None,
            cuts: Vec::new(),
            aside: Aside::default(),
        }
    }

    fn root(&self) -> &'static str {
        match self.form {
            Form::Bucket => "ListBucketResult",
            Form::Container => "EnumerationResults",
        }
    }

    fn open(&mut self, tag: &BytesStart<'_>, start: usize) -> Result<(), NotAListing> {
        let name = tag.local_name().as_ref().to_vec();
        if self.open.is_empty() {
            if name != self.root().as_bytes() || self.has_root {
                let found: String = String::from_utf8_lossy(&name).chars().take(64).collect();
                return Err(NotAListing(format!("its root element is <{found}> and not <{}>", self.root())));
            }
            self.has_root = true;
        }
        self.open.push(name);
        let path: Vec<&[u8]> = self.open.iter().skip(1).map(Vec::as_slice).collect();
        match (self.form, path.as_slice()) {
            (Form::Bucket, [b"Contents" | b"CommonPrefixes"]) | (Form::Container, [b"Blobs", b"Blob" | b"BlobPrefix"]) => {
                let is_object = matches!(path.last(), Some(&(b"Contents" | b"Blob")));
                self.entry = Some(Entry { start, is_object, ..Entry::default() });
            }
            (Form::Bucket, [b"Name"]) => self.name = true,
            (Form::Bucket, [b"KeyCount"]) => self.counted = true,
            (Form::Bucket, [b"IsTruncated"]) => self.is_truncated = Some(String::new()),
            (Form::Bucket, [b"NextContinuationToken"]) | (Form::Container, [b"NextMarker"]) => self.token = Some(String::new()),
            (Form::Container, [b"Blobs"]) => self.blobs = true,
            // Azure encodes names that XML cannot contain.
            (Form::Container, [b"Blobs", _, b"Name"]) if matches!(tag.try_get_attribute("Encoded"), Ok(Some(_))) => {
                if let Some(entry) = &mut self.entry {
                    entry.undecodable = true;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Takes a text, or a part of one; `None` if it cannot be decoded.
    fn text(&mut self, text: Option<&str>) {
        let path: Vec<&[u8]> = self.open.iter().skip(1).map(Vec::as_slice).collect();
        let part = text.unwrap_or_default();
        match (self.form, path.as_slice(), &mut self.entry) {
            (Form::Bucket, [_, b"Key" | b"Prefix"], Some(entry)) | (Form::Container, [_, _, b"Name"], Some(entry)) => {
                entry.key.push_str(part);
                entry.undecodable |= text.is_none();
            }
            (Form::Bucket, [_, b"StorageClass"], Some(entry)) | (Form::Container, [_, _, _, b"AccessTier"], Some(entry)) => {
                entry.class.push_str(part);
            }
            (Form::Bucket, [b"IsTruncated"], _) => self.is_truncated.get_or_insert_default().push_str(part),
            (Form::Bucket, [b"NextContinuationToken"], _) | (Form::Container, [b"NextMarker"], _) => {
                self.token.get_or_insert_default().push_str(part);
            }
            _ => {}
        }
    }

    fn close(&mut self, end: usize) {
        let depth = match self.form {
            Form::Bucket => 2,
            Form::Container => 3,
        };
        if self.open.len() == depth
            && let Some(entry) = self.entry.take()
        {
            self.end_entry(entry, end);
        }
        self.open.pop();
        self.ended |= self.open.is_empty();
    }

    fn end_entry(&mut self, entry: Entry, end: usize) {
        let Entry { start, is_object, key, undecodable, class } = entry;
        if undecodable || !is_path(&key) {
            self.cuts.push(start..end);
            self.aside.no_paths.push(key);
        } else if is_object && key.ends_with('/') {
            self.cuts.push(start..end);
            self.aside.markers.push(key);
        } else if is_object && is_archive_class(self.form, class.trim()) {
            self.aside.frozen.push(key);
        }
    }

    fn finish(self, body: &Bytes) -> Result<(Bytes, Aside), NotAListing> {
        if !self.has_root {
            return Err(NotAListing(format!("it has no element <{}>", self.root())));
        }
        if !self.ended {
            return Err(NotAListing("it ends early".to_owned()));
        }
        let missing = |member: &str| NotAListing(format!("its <{}> has no <{member}>", self.root()));
        match self.form {
            Form::Bucket if !self.name => return Err(missing("Name")),
            Form::Bucket => {
                let is_truncated = self.is_truncated.as_deref().map(str::trim);
                if is_truncated.is_none() && !self.counted {
                    return Err(missing("IsTruncated"));
                }
                if is_truncated.is_some_and(|value| value.eq_ignore_ascii_case("true"))
                    && self.token.as_deref().is_none_or(|token| token.trim().is_empty())
                {
                    return Err(missing("NextContinuationToken"));
                }
            }
            Form::Container if !self.blobs => return Err(missing("Blobs")),
            Form::Container if self.token.is_none() => return Err(missing("NextMarker")),
            Form::Container => {}
        }
        if self.cuts.is_empty() {
            return Ok((body.clone(), self.aside));
        }
        let mut kept = Vec::with_capacity(body.len());
        let mut from = 0;
        for cut in &self.cuts {
            kept.extend_from_slice(&body[from..cut.start]);
            from = cut.end;
        }
        kept.extend_from_slice(&body[from..]);
        Ok((kept.into(), self.aside))
    }
}

/// Whether a key is a path of `object_store`, perhaps with a slash at its end.
fn is_path(key: &str) -> bool {
    let key = key.strip_suffix('/').unwrap_or(key);
    key.split('/').all(|part| !matches!(part, "" | "." | "..") && !part.bytes().any(|byte| byte.is_ascii_control()))
}

/// Whether objects of a storage class must be restored before they can be read. Google's `ARCHIVE` can be read at once.
fn is_archive_class(form: Form, class: &str) -> bool {
    match form {
        Form::Bucket => matches!(class, "GLACIER" | "DEEP_ARCHIVE"),
        Form::Container => class == "Archive",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(inner: &str) -> Bytes {
        format!(
            "<?xml version=\"1.0\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name>\
             <IsTruncated>false</IsTruncated>{inner}</ListBucketResult>"
        )
        .into()
    }

    fn contents(key: &str, class: &str) -> String {
        format!("<Contents><Key>{key}</Key><Size>1</Size><StorageClass>{class}</StorageClass></Contents>")
    }

    #[test]
    fn only_a_whole_listing_is_a_listing() {
        for (body, form, part) in [
            ("", Form::Bucket, "no element <ListBucketResult>"),
            ("plain text", Form::Bucket, "no element <ListBucketResult>"),
            ("<html><body>Please log in</body></html>", Form::Bucket, "root element is <html>"),
            ("<!DOCTYPE html><html><br></html>", Form::Bucket, "root element is <html>"),
            ("<Error><Code>SlowDown</Code></Error>", Form::Bucket, "root element is <Error>"),
            ("<ListAllMyBucketsResult/>", Form::Bucket, "root element is <ListAllMyBucketsResult>"),
            ("<ListBucketResult/>", Form::Bucket, "no <Name>"),
            ("<ListBucketResult><Name>b</Name></ListBucketResult>", Form::Bucket, "no <IsTruncated>"),
            (
                "<ListBucketResult><Name>b</Name><IsTruncated>true</IsTruncated><NextMarker>x</NextMarker></ListBucketResult>",
                Form::Bucket,
                "no <NextContinuationToken>",
            ),
            ("<ListBucketResult><Name>b</Name><IsTruncated>false</IsTruncated>", Form::Bucket, "ends early"),
            ("<ListBucketResult><Name>b</Name><IsTruncated>false</IsTru", Form::Bucket, "XML is damaged"),
            ("<ListBucketResult/>", Form::Container, "root element is <ListBucketResult>"),
            ("<EnumerationResults><NextMarker/></EnumerationResults>", Form::Container, "no <Blobs>"),
            ("<EnumerationResults><Blobs/></EnumerationResults>", Form::Container, "no <NextMarker>"),
        ] {
            let error = check(&Bytes::from(body), form).unwrap_err().to_string();
            assert!(error.contains(part), "{body}: {error}");
        }
        for (body, form) in [
            ("<ListBucketResult><Name>b</Name><KeyCount>0</KeyCount></ListBucketResult>", Form::Bucket),
            ("<EnumerationResults><Blobs/><NextMarker/></EnumerationResults>", Form::Container),
        ] {
            assert_eq!(check(&Bytes::from(body), form).unwrap(), (Bytes::from(body), Aside::default()));
        }
    }

    #[test]
    fn entries_that_are_no_paths_are_taken_out_and_their_neighbours_stay() {
        let good = contents("a/b&amp;c", "STANDARD") + &contents("a/..b", "") + "<CommonPrefixes><Prefix>a/d/</Prefix></CommonPrefixes>";
        let bad = ["/a", "a//b", "a/./b", "../a", "a&#1;b", "a&#0;b", "a/&unknown;", "a\u{7f}"];
        let bad: String = bad.iter().map(|key| contents(key, "")).collect();
        let folders = "<CommonPrefixes><Prefix>/</Prefix></CommonPrefixes><CommonPrefixes><Prefix>a//</Prefix></CommonPrefixes>";
        let body = bucket(&format!("{bad}{good}{folders}{}", contents("a/c/", "")));
        let (kept, aside) = check(&body, Form::Bucket).unwrap();
        assert_eq!(kept, bucket(&good));
        assert_eq!(aside.markers, ["a/c/"]);
        assert_eq!(aside.no_paths.len(), 10, "{aside:?}");
    }

    #[test]
    fn objects_in_an_archive_storage_class_are_named() {
        let body = bucket(&(contents("a", "GLACIER") + &contents("b", "GLACIER_IR") + &contents("c", "DEEP_ARCHIVE")));
        let (kept, aside) = check(&body, Form::Bucket).unwrap();
        assert_eq!((kept, aside.frozen), (body, vec!["a".to_owned(), "c".to_owned()]));
        let blob =
            |name: &str, tier: &str| format!("<Blob><Name>{name}</Name><Properties><AccessTier>{tier}</AccessTier></Properties></Blob>");
        let encoded = "<Blob><Name Encoded=\"true\">a%01</Name><Properties/></Blob>";
        let body = |inner: &str| Bytes::from(format!("<EnumerationResults><Blobs>{inner}</Blobs><NextMarker/></EnumerationResults>"));
        let good = blob("a", "Archive") + &blob("b", "Cool");
        let (kept, aside) = check(&body(&(good.clone() + encoded)), Form::Container).unwrap();
        assert_eq!((kept, aside.frozen, aside.no_paths), (body(&good), vec!["a".to_owned()], vec!["a%01".to_owned()]));
    }
}

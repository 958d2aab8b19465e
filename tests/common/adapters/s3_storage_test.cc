// The object store as a Storage, against a real server whose signatures, parts and lists are its own.
#include "common/adapters/s3_storage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/adapters/any_storage.h"
#include "tests/fault_proxy.h"
#include "tests/s3_server.h"

namespace capstan {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using namespace std::chrono_literals;

constexpr std::size_t kPart = 5U << 20;  // the least that a store takes

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + (i * 2654435761U >> 11) % 23);
  return text;
}

class S3StorageTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = S3Server::missing(); !why.empty()) GTEST_SKIP() << why;
    ASSERT_TRUE(server_.start()) << server_.log();
    ASSERT_TRUE(server_.make_bucket("models"));
    proxy_ = std::make_unique<FaultProxy>(server_.port());
    settings_ = server_.settings();
    settings_.endpoint = proxy_->endpoint();
    limits_.part_bytes = kPart;
    limits_.first_pause = 1ms;
    limits_.longest_pause = 20ms;
    limits_.patience = 20s;
    storage_ = std::make_unique<S3Storage>(settings_, limits_);
  }
  S3Storage with(const std::function<void(S3Settings&)>& change) const {
    S3Settings settings = settings_;
    change(settings);
    return S3Storage(settings, limits_);
  }
  Status put(const std::string& path, const std::string& text) {
    return storage_->publish(path, bytes_of(text));
  }
  std::string text(const std::string& path) {
    const auto read = storage_->read(path);
    return read.ok() ? std::string(read->text()) : read.error().message;
  }
  // Every `nth` request has the fault, the first of them too.
  void every(std::size_t nth, const HttpFault& fault) {
    proxy_->decide([nth, fault, n = std::size_t{0}](const std::string&) mutable {
      return n++ % nth == 0 ? fault : HttpFault{};
    });
  }

  S3Server server_;
  std::unique_ptr<FaultProxy> proxy_;
  S3Settings settings_;
  S3Limits limits_;
  std::unique_ptr<S3Storage> storage_;
};

TEST_F(S3StorageTest, ObjectsAreWrittenReadListedAndRemovedLikeFiles) {
  ASSERT_TRUE(put("s3://models/a/ckpt-000001/MANIFEST.json", "{}").ok());
  ASSERT_TRUE(put("s3://models//a/ckpt-000001/ps 0+ä.rows", "0123456789").ok())
      << "odd letters are signed too";
  ASSERT_TRUE(put("s3://models/a/ckpt-000002/ps-0.rows", "").ok());
  ASSERT_TRUE(put("s3://models/ab/x", "x").ok());
  EXPECT_EQ(text("s3://models/a/ckpt-000001/MANIFEST.json"), "{}");
  EXPECT_EQ(text("s3://models/a/ckpt-000002/ps-0.rows"), "");
  EXPECT_EQ(storage_->read_range("s3://models/a/ckpt-000001/ps 0+ä.rows", 3, 4)->text(), "3456");
  EXPECT_THAT(storage_->list("s3://models/a").value(), ElementsAre("ckpt-000001", "ckpt-000002"));
  EXPECT_THAT(storage_->list("s3://models").value(), ElementsAre("a", "ab"));
  EXPECT_THAT(storage_->sizes("s3://models/a/ckpt-000001").value(),
              ElementsAre(Pair("MANIFEST.json", 2), Pair("ps 0+ä.rows", 10)));
  EXPECT_TRUE(storage_->exists("s3://models/a").value()) << "something lies below it";
  EXPECT_FALSE(storage_->exists("s3://models/a/ckpt").value());
  ASSERT_TRUE(storage_->remove("s3://models/a").ok());
  EXPECT_FALSE(storage_->exists("s3://models/a").value());
  EXPECT_EQ(text("s3://models/ab/x"), "x");
}

TEST_F(S3StorageTest, WhatIsMissingOrShortIsSaidAsOfFiles) {
  ASSERT_TRUE(put("s3://models/short", "0123").ok());
  EXPECT_EQ(storage_->read("s3://models/none").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(storage_->read_range("s3://models/none", 0, 4).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(storage_->list("s3://models/none").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(storage_->remove("s3://models/none").error().code, ErrorCode::kNotFound);
  for (const auto& [offset, size] : {std::pair{2, 3}, {4, 1}, {9, 1}, {9, 0}}) {
    const auto read = storage_->read_range("s3://models/short", static_cast<std::uint64_t>(offset),
                                           static_cast<std::uint64_t>(size));
    ASSERT_FALSE(read.ok()) << offset;
    EXPECT_EQ(read.error().code, ErrorCode::kCorrupt) << read.error().message;
  }
  EXPECT_EQ(storage_->rename("s3://models/short", "s3://models/b").error().code, ErrorCode::kInvalid);
  EXPECT_EQ(storage_->open_append("s3://models/short").error().code, ErrorCode::kInvalid);
}

TEST_F(S3StorageTest, AListOfManyPagesIsPutTogether) {
  S3Client client(settings_, limits_);
  for (int i = 0; i < 7; ++i) ASSERT_TRUE(put("s3://models/many/" + std::to_string(i), "x").ok());
  // The server shrinks its pages to what the request names; the proxy cannot change a signed one.
  S3Exchange exchange(settings_, limits_);
  S3Request request;
  request.method = "GET";
  request.bucket = "models";
  std::vector<std::string> keys;
  std::string token;
  do {
    request.query = {{"list-type", "2"}, {"prefix", "many/"}, {"max-keys", "3"}};
    if (!token.empty()) request.query["continuation-token"] = token;
    const auto page = read_s3_page(exchange.run(request)->body);
    ASSERT_TRUE(page.ok()) << page.error().message;
    for (const S3Object& object : page->objects) keys.push_back(object.key);
    token = page->next;
  } while (!token.empty());
  EXPECT_EQ(keys.size(), 7U);
}

TEST_F(S3StorageTest, ALargeFileGoesUpInPartsAndIsSeenOnlyWhenItIsWhole) {
  const std::string all = pattern(2 * kPart + 12'345);
  auto file = storage_->create("s3://models/big");
  ASSERT_TRUE(file.ok());
  for (std::size_t at = 0; at < all.size(); at += 1'000'000) {
    ASSERT_TRUE((*file)->append(bytes_of(std::string_view(all).substr(at, 1'000'000))).ok());
    ASSERT_FALSE(storage_->exists("s3://models/big").value()) << at;
  }
  ASSERT_TRUE((*file)->sync().ok());
  ASSERT_TRUE((*file)->close().ok());
  EXPECT_TRUE(text("s3://models/big") == all);
  EXPECT_EQ(storage_->read_range("s3://models/big", kPart - 10, 20)->text(), all.substr(kPart - 10, 20));
  EXPECT_FALSE((*file)->append(bytes_of("more")).ok());
}

TEST_F(S3StorageTest, AFileThatIsGivenUpIsNeverSeenAndLeavesNothingBehind) {
  S3Client client(settings_, limits_);
  const ObjectPath all{.bucket = "models"};
  for (const bool closes : {true, false}) {
    auto file = storage_->create("s3://models/half");
    ASSERT_TRUE((*file)->append(bytes_of(pattern(kPart + 1))).ok());
    EXPECT_EQ(client.open_uploads(all)->size(), 1U);
    if (closes) {
      ASSERT_TRUE((*file)->close().ok());
    }
    file->reset();
    ASSERT_TRUE(put("s3://models/next", "x").ok()) << "before this, what was dropped is given up";
    EXPECT_EQ(client.open_uploads(all)->size(), 0U);
    EXPECT_FALSE(storage_->exists("s3://models/half").value());
  }
}

TEST_F(S3StorageTest, UploadsOfADeadProcessAreGivenUpBelowThePathAlone) {
  S3Client client(settings_, limits_);
  ASSERT_TRUE(client.begin_upload({.bucket = "models", .key = "job/ckpt-000001/ps-0.rows"}).ok());
  ASSERT_TRUE(client.begin_upload({.bucket = "models", .key = "other/ckpt-000001/ps-0.rows"}).ok());
  ASSERT_TRUE(storage_->abandon_uploads("s3://models/job").ok());
  const auto left = client.open_uploads({.bucket = "models"});
  ASSERT_EQ(left->size(), 1U);
  EXPECT_EQ(left->front().key, "other/ckpt-000001/ps-0.rows");
}

TEST_F(S3StorageTest, ErrorsOfTheStoreAreTriedAgain) {
  const std::string all = pattern(2 * kPart + 99);
  for (const int status : {500, 503, 429}) {
    every(2, {.status = status, .body = "<Error><Code>SlowDown</Code><Message>too fast</Message></Error>"});
    const std::string path = "s3://models/f" + std::to_string(status);
    auto file = storage_->create(path);
    ASSERT_TRUE((*file)->append(bytes_of(all)).ok());
    ASSERT_TRUE((*file)->sync().ok());
    EXPECT_TRUE(text(path) == all);
    EXPECT_TRUE(storage_->exists(path).value());
    EXPECT_TRUE(storage_->remove(path).ok());
  }
}

TEST_F(S3StorageTest, ConnectionsCutInMidBodyLoseAndDoubleNothing) {
  const std::string all = pattern(2 * kPart + 99);
  every(2, {.cut_request = 300'000});
  auto file = storage_->create("s3://models/up");
  ASSERT_TRUE((*file)->append(bytes_of(all)).ok());
  ASSERT_TRUE((*file)->sync().ok());
  proxy_->decide({});
  EXPECT_TRUE(text("s3://models/up") == all);
  every(2, {.cut_response = 40});
  EXPECT_EQ(storage_->list("s3://models").value(), std::vector<std::string>{"up"}) << "cut in the head";
  const std::size_t before = proxy_->requests();
  every(1, {.cut_response = 4'000'000});
  EXPECT_TRUE(text("s3://models/up") == all) << "each answer goes on where the last was cut";
  EXPECT_EQ(proxy_->requests() - before, 3U);
  EXPECT_TRUE(storage_->read_range("s3://models/up", 7, 2 * kPart)->text() == all.substr(7, 2 * kPart));
}

// Whether it was carried out cannot be known: the object itself tells.
TEST_F(S3StorageTest, ALostAnswerToTheCompletionOfAnUploadIsNoFailure) {
  proxy_->decide([](const std::string& head) {
    const bool completes = head.starts_with("POST") && head.find("uploadId=") != std::string::npos;
    return completes ? HttpFault{.cut_response = 10} : HttpFault{};
  });
  limits_.patience = 1s;
  storage_ = std::make_unique<S3Storage>(settings_, limits_);
  const std::string all = pattern(kPart + 1);
  auto file = storage_->create("s3://models/done");
  ASSERT_TRUE((*file)->append(bytes_of(all)).ok());
  const Status synced = (*file)->sync();
  EXPECT_TRUE(synced.ok()) << synced.error().message;
  EXPECT_TRUE(text("s3://models/done") == all);
}

TEST_F(S3StorageTest, AFailedUploadIsGivenUpAndTheErrorNamesAllThereIsToKnow) {
  limits_.patience = 200ms;
  storage_ = std::make_unique<S3Storage>(settings_, limits_);
  proxy_->decide([](const std::string& head) {
    const bool part = head.starts_with("PUT") && head.find("partNumber=2") != std::string::npos;
    return part ? HttpFault{503, "<Error><Code>SlowDown</Code><Message>too fast</Message></Error>"}
                : HttpFault{};
  });
  auto file = storage_->create("s3://models/never");
  const Status failed = (*file)->append(bytes_of(pattern(2 * kPart)));
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(failed.error().message,
              AllOf(HasSubstr("PUT s3://models/never"), HasSubstr(proxy_->endpoint()), HasSubstr("HTTP 503"),
                    HasSubstr("SlowDown: too fast"), HasSubstr("(tried ")));
  EXPECT_FALSE((*file)->sync().ok());
  EXPECT_FALSE(storage_->exists("s3://models/never").value());
  EXPECT_EQ(S3Client(settings_, limits_).open_uploads({.bucket = "models"})->size(), 0U);
}

TEST_F(S3StorageTest, WrongCredentialsBucketsAndAddressesAreTold) {
  const auto problem = [](const Status& status) { return status.ok() ? "" : status.error().message; };
  EXPECT_EQ(problem(storage_->check_writable("s3://models/job")), "");
  EXPECT_FALSE(storage_->exists("s3://models/job").value()) << "it is removed again";
  const Status token =
      with([](S3Settings& s) { s.session_token = "a/token+="; }).check_writable("s3://models");
  EXPECT_EQ(problem(token), "") << "the token is signed with the rest";
  const Status secret = with([](S3Settings& s) { s.secret_key = "wrong"; }).check_writable("s3://models/job");
  EXPECT_THAT(problem(secret), AllOf(HasSubstr("HTTP 403 SignatureDoesNotMatch"),
                                     HasSubstr("check AWS_SECRET_ACCESS_KEY"), HasSubstr("s3://models/job")));
  EXPECT_EQ(secret.error().code, ErrorCode::kRefused);
  EXPECT_THAT(
      problem(with([](S3Settings& s) { s.access_key = "nobody:x"; }).check_writable("s3://models/job")),
      HasSubstr("AWS_ACCESS_KEY_ID"));
  EXPECT_THAT(problem(with([](S3Settings& s) { s.access_key = ""; }).check_writable("s3://models/job")),
              HasSubstr("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"));
  const Status elsewhere = with([](S3Settings& s) { s.region = "mars-1"; }).check_writable("s3://models/job");
  EXPECT_EQ(problem(elsewhere), "") << "the store says which region it is, and is believed";
  EXPECT_THAT(problem(storage_->check_writable("s3://absent/job")),
              AllOf(HasSubstr("HTTP 404 NoSuchBucket"), HasSubstr("make the bucket")));
  EXPECT_EQ(storage_->list("s3://absent/job").error().code, ErrorCode::kRefused) << "not an empty folder";
  limits_.patience = 50ms;
  const Status nobody =
      with([](S3Settings& s) { s.endpoint = "http://127.0.0.1:9"; }).check_writable("s3://m/x");
  EXPECT_EQ(nobody.error().code, ErrorCode::kInvalid) << "'m' is too short for a bucket";
  const Status away =
      with([](S3Settings& s) { s.endpoint = "http://127.0.0.1:9"; }).check_writable("s3://mmm/x");
  EXPECT_EQ(away.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(problem(away), HasSubstr("at http://127.0.0.1:9"));
}

TEST_F(S3StorageTest, PathsGoWhereTheirSchemeSays) {
  TempDir folder;
  AnyStorage any(settings_, limits_);
  ASSERT_TRUE(any.publish(folder.path("file"), bytes_of("on disk")).ok());
  ASSERT_TRUE(any.publish("s3://models/file", bytes_of("object")).ok());
  EXPECT_EQ(folder.read("file"), "on disk");
  EXPECT_EQ(any.read("s3://models/file")->text(), "object");
  EXPECT_EQ(any.read("gs://models/file").error().code, ErrorCode::kInvalid);
  const std::string here = settings_.endpoint;
  AnyStorage elsewhere(
      [&] {
        S3Settings settings = settings_;
        settings.endpoint = "http://127.0.0.1:9";
        return settings;
      }(),
      limits_);
  EXPECT_EQ(elsewhere.read("s3+" + here + "/models/file")->text(), "object") << "the path names its store";
}

}  // namespace
}  // namespace capstan

#include "common/object_path.h"

#include <gtest/gtest.h>

namespace capstan {
namespace {

std::string parsed(std::string_view path) {
  const auto object = parse_object_path(path);
  if (!object.ok()) return object.error().message;
  return object->endpoint + " | " + object->bucket + " | " + object->key;
}

TEST(ObjectPath, NamesStoreBucketAndKey) {
  EXPECT_EQ(parsed("s3://models"), " | models | ");
  EXPECT_EQ(parsed("s3://models//a/b c/"), " | models | a/b c");
  EXPECT_EQ(parsed("s3+http://127.0.0.1:9000/models/a"), "http://127.0.0.1:9000 | models | a");
  EXPECT_EQ(parsed("s3+https://store.example.org/models"), "https://store.example.org | models | ");
}

TEST(ObjectPath, TextIsThePathWithoutNeedlessSlashes) {
  for (const std::string path : {"s3://models", "s3://models/a/b", "s3+http://[::1]:9000/models/a"}) {
    EXPECT_EQ(parse_object_path(path)->text(), path);
    EXPECT_EQ(parse_object_path(path + "//")->text(), path);
  }
}

TEST(ObjectPath, WhatIsWrongIsSaid) {
  EXPECT_NE(parsed("s3://").find("names no bucket"), std::string::npos);
  EXPECT_NE(parsed("s3://a b/c").find("names no bucket"), std::string::npos);
  EXPECT_NE(parsed("s3://models/../other").find("the step '..'"), std::string::npos);
  EXPECT_NE(parsed("s3://models/a\nb").find("a control character"), std::string::npos);
  EXPECT_NE(parsed("s3://models/" + std::string(1000, 'x')).find("longer than"), std::string::npos);
  EXPECT_NE(parsed("s3+http:///models").find("names no host"), std::string::npos);
  EXPECT_NE(parsed("s3+http://user:secret@host/models").find("names no host"), std::string::npos);
}

TEST(ObjectPath, WhatIsEncryptedLiesInAFolderOrAStore) {
  EXPECT_TRUE(check_storage_path("encrypted:out/checkpoints").ok());
  EXPECT_TRUE(check_storage_path("encrypted:s3://models/a").ok());
  EXPECT_EQ(stored_path("encrypted:s3://models/a"), "s3://models/a");
  EXPECT_EQ(stored_path("out/a"), "out/a");
  for (const char* path : {"encrypted:", "encrypted:gs://models/a", "encrypted:encrypted:a"}) {
    EXPECT_FALSE(check_storage_path(path).ok()) << path;
  }
}

TEST(ObjectPath, OtherSchemesAreNoFolders) {
  EXPECT_TRUE(check_storage_path("out/checkpoints").ok());
  EXPECT_TRUE(check_storage_path("/out/a:b").ok());
  EXPECT_TRUE(check_storage_path("").ok());
  EXPECT_TRUE(check_storage_path("s3://models/a").ok());
  for (const char* path : {"gs://models/a", "s3:/models/a", "s3+ftp://host/models", "http://host/models"}) {
    EXPECT_FALSE(check_storage_path(path).ok()) << path;
  }
}

}  // namespace
}  // namespace capstan

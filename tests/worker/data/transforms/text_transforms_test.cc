// hash, vocab, cross, split, ngrams, weighted, and the list of them.
#include <gtest/gtest.h>

#include <cmath>

#include "common/hash.h"
#include "tests/worker/data/transforms/run_transform.h"

namespace capstan {
namespace {

TEST(HashTransform, IsXxh3OfNameAndValue) {
  const auto input = texts({"x", "y", ""}, "C1");
  EXPECT_EQ(run_transform({"hash", {}}, {input}, 3).keys,
            (Keys{hash_string("C1=x"), hash_string("C1=y"), hash_string("C1=")}));
  EXPECT_EQ(run_transform({"hash", {{"name", ""}}}, {input}, 3).keys[0], hash_string("x"));
  EXPECT_EQ(run_transform({"hash", {{"name", "shared"}}}, {input}, 3).keys[0], hash_string("shared=x"));
  const auto bucketed = run_transform({"hash", {{"buckets", "10"}}}, {input}, 3);
  EXPECT_EQ(bucketed.keys[0], hash_string("C1=x") % 10);
  EXPECT_EQ(bucketed.cardinality, 10U);
}

// Hashed keys are part of checkpoints and exports: this value never changes.
TEST(HashTransform, KeysAreStableForever) {
  EXPECT_EQ(hash_string(""), 0x2d06800538d394c2ULL);
}

TEST(VocabTransform, NumbersByFirstAppearanceInTrain) {
  const auto output = run_transform({"vocab", {}}, {texts({"b", "a", "b", "", "new"})}, 4);
  EXPECT_EQ(output.keys, (Keys{1, 2, 1, 0, 0}));
  EXPECT_EQ(output.cardinality, 3U);
}

TEST(VocabTransform, RareValuesAreUnknown) {
  const auto output =
      run_transform({"vocab", {{"min_count", "2"}}}, {texts({"b", "a", "a", "b", "c", "c"})}, 5);
  EXPECT_EQ(output.keys, (Keys{1, 2, 2, 1, 0, 0}));  // c is in train once
}

TEST(CrossTransform, HashesTheTuple) {
  const auto output = run_transform({"cross", {}}, {texts({"1", "12"}, "a"), texts({"23", "3"}, "b")}, 2);
  EXPECT_EQ(output.keys, (Keys{hash_string("a=1\x1f"
                                           "b=23"),
                               hash_string("a=12\x1f"
                                           "b=3")}));
  EXPECT_NE(output.keys[0], output.keys[1]);
  EXPECT_EQ(error_of({"cross", {}}, {texts({"1"})}), "takes two columns or more");
}

TEST(SplitTransform, MakesLists) {
  const auto output = run_transform({"split", {}}, {texts({"Action| Crime", "", "|Up|"})}, 3);
  EXPECT_EQ(output.text, (std::vector<std::string_view>{"Action", "Crime", "Up"}));
  EXPECT_EQ(output.offsets, (Offsets{0, 2, 2, 3}));
  const auto keys = run_transform({"vocab", {}}, {output}, 3);
  EXPECT_EQ(keys.keys, (Keys{1, 2, 3}));
  EXPECT_EQ(keys.offsets, (Offsets{0, 2, 2, 3}));
}

TEST(NgramsTransform, WordsAndPairs) {
  const auto output = run_transform({"ngrams", {}}, {texts({"The  Big-Sleep", "Up!", ""})}, 3);
  EXPECT_EQ(output.keys, (Keys{hash_string("the"), hash_string("big"), hash_string("sleep"),
                               hash_string("the big"), hash_string("big sleep"), hash_string("up")}));
  EXPECT_EQ(output.offsets, (Offsets{0, 5, 6, 6}));
}

TEST(NgramsTransform, CharactersAreUtf8) {
  const auto output =
      run_transform({"ngrams", {{"of", "chars"}, {"min", "2"}, {"max", "2"}}}, {texts({"\xC3\xA9t a"})}, 1);
  EXPECT_EQ(output.keys, (Keys{hash_string("\xC3\xA9t"), hash_string("t "), hash_string(" a")}));
}

TEST(NgramsTransform, IdfIsCountedInTrain) {
  const auto output =
      run_transform({"ngrams", {{"max", "1"}, {"idf", "true"}}}, {texts({"a a b", "a", "b c c"})}, 2);
  // Of two training texts both hold a, one holds b, none holds c.
  const auto weight = [](double with) { return static_cast<float>(1.0 + std::log(3.0 / (1.0 + with))); };
  EXPECT_EQ(output.weights, (std::vector<float>{weight(2), weight(2), weight(1), weight(2), weight(1),
                                                weight(0), weight(0)}));
}

TEST(WeightedTransform, ReadsIndexAndValue) {
  const auto output = run_transform({"weighted", {}}, {texts({"3:1 11:0.5", "", "12:1 3:-2"})}, 2);
  EXPECT_EQ(output.keys, (Keys{3, 11, 3}));  // 12 is not in train
  EXPECT_EQ(output.weights, (std::vector<float>{1.0F, 0.5F, -2.0F}));
  EXPECT_EQ(output.offsets, (Offsets{0, 2, 2, 3}));
  EXPECT_EQ(output.cardinality, 12U);
}

TEST(TransformList, MistakesAreExplained) {
  EXPECT_EQ(error_of({"vocabulary", {}}, {texts({"a"})}),
            "no transform 'vocabulary'; there are bucketise, counter, cross, hash, history, log, minmax, "
            "ngrams, split, "
            "vocab, weighted, zscore");
  EXPECT_EQ(error_of({"hsah", {}}, {texts({"a"})}).substr(0, 44),
            "no transform 'hsah' (did you mean 'hash'?); ");
  EXPECT_EQ(error_of({"hash", {{"bukets", "10"}}}, {texts({"a"})}),
            "hash: no option 'bukets' (did you mean 'buckets'?); it has name, buckets");
  EXPECT_EQ(error_of({"hash", {{"buckets", "1"}}}, {texts({"a"})}),
            "hash: buckets '1' is not a whole number of at least 2");
  EXPECT_EQ(error_of({"counter", {{"of", "users"}}}, {texts({"a"})}),
            "counter: of 'users' is not one of user, item, pair (did you mean 'user'?)");
  EXPECT_EQ(error_of({"log", {}}, {texts({"a"})}), "needs numbers, but what comes before it gives text");
}

}  // namespace
}  // namespace capstan

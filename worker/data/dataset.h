// Dataset: prepared examples as columns. Made once from the raw files (see prepare.h), the same on every
// worker.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/buffer.h"
#include "common/config/job_config.h"
#include "common/hash.h"

namespace capstan {

// Where a field's value is found: in the example itself, or in the row of its user or item.
enum class FieldSource : std::uint8_t { kEvent, kUser, kItem };

struct FieldInfo {
  std::string name;
  std::string table;  // embedding table that its keys index
  FieldSource source = FieldSource::kEvent;
  bool dense = false;  // one float an example; else keys
  bool list = false;   // any number of keys an example, pooled
  Pooling pooling = Pooling::kSum;
  std::uint32_t length = 0;       // pooling none of a list: keys that count
  std::uint64_t cardinality = 0;  // keys are below it; 0: hashed, any 64-bit key
};

// One field of many rows. Sparse: keys of row i are keys[offsets[i] .. offsets[i+1]), or just keys[i] when
// offsets is empty; weights run beside keys, or are empty (all 1). Dense: values[i].
struct FieldColumn {
  Buffer keys, offsets, weights, values;  // Key, uint64_t, float, float

  std::span<const Key> row_keys(std::uint64_t row) const;
  std::span<const float> row_weights(std::uint64_t row) const;  // empty: all 1
  float value(std::uint64_t row) const { return values.as<float>()[row]; }
};

// Rows of one split. users, items, times and ratings are empty where the data has none.
struct Examples {
  std::uint64_t size = 0;
  Buffer labels;                    // float [size]
  Buffer users, items;              // uint32_t [size]: dense indices from 0
  Buffer times;                     // int64_t [size]: as given, or ranks where some have a fraction
  Buffer ratings;                   // float [size]; ranking only, to show people; training never reads it
  std::vector<FieldColumn> fields;  // parallel to Dataset::fields; empty columns for user and item fields

  float label(std::uint64_t row) const { return labels.as<float>()[row]; }
  std::uint32_t user(std::uint64_t row) const { return users.as<std::uint32_t>()[row]; }
  std::uint32_t item(std::uint64_t row) const { return items.as<std::uint32_t>()[row]; }
  std::int64_t time(std::uint64_t row) const { return times.as<std::int64_t>()[row]; }
  float rating(std::uint64_t row) const { return ratings.as<float>()[row]; }
};

// A set of items for every user: values[offsets[u] .. offsets[u+1]), ascending.
struct UserItems {
  Buffer offsets;  // uint64_t [users + 1]
  Buffer values;   // uint32_t

  std::span<const std::uint32_t> of(std::uint32_t user) const;
  bool contains(std::uint32_t user, std::uint32_t item) const;
};

struct Dataset {
  Task task = Task::kCtr;
  std::uint64_t fingerprint = 0;       // of the data and feature settings and the input's bytes
  std::uint64_t rows_fingerprint = 0;  // the same without the features
  std::vector<FieldInfo> fields;
  Examples train, valid, test;
  std::uint32_t num_users = 0, num_items = 0;
  std::vector<FieldColumn> user_fields, item_fields;  // parallel to fields; [num_users], [num_items]
  UserItems train_items, valid_items, test_items;     // ranking
  std::vector<std::vector<std::uint32_t>>
      candidates;                                   // sampled evaluation from a file: [users][n]; empty: none
  Buffer item_counts;                               // uint32_t [num_items]: train positives of each item
  std::vector<std::string> user_names, item_names;  // the raw ids
  std::vector<std::string> item_titles;             // for people; empty: use item_names
  std::string summary;  // statistics and what cleaning dropped, in words, several lines
};

}  // namespace capstan

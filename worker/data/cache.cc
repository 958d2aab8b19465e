#include "worker/data/cache.h"

#include <spdlog/fmt/fmt.h>

#include <boost/json.hpp>
#include <stdexcept>

#include "common/hash.h"
#include "common/sealed_json.h"
#include "worker/data/cache_layout.h"
#include "worker/data/dataset_shape.h"
#include "worker/data/mapped_file.h"

namespace capstan {
namespace {

namespace json = boost::json;

constexpr int kFormatVersion = 3;
constexpr std::string_view kMetaName = "prepared";
constexpr std::size_t kAlignment = 64;

using Lists = std::vector<std::vector<std::uint32_t>>;

// Offsets beside values, for lists and for words.
template <typename T, typename Rows>
std::pair<Buffer, Buffer> flatten(const Rows& rows) {
  std::vector<std::uint64_t> offsets = {0};
  std::vector<T> values;
  for (const auto& row : rows) {
    values.insert(values.end(), row.begin(), row.end());
    offsets.push_back(values.size());
  }
  return {Buffer::adopt(std::move(offsets)), Buffer::adopt(std::move(values))};
}

class BlockWriter {
 public:
  explicit BlockWriter(WritableFile& file) : file_(file) {}

  void operator()(const std::string& name, Buffer& block) { write(name, block); }
  void operator()(const std::string& name, std::vector<std::string>& words) {
    const auto [offsets, values] = flatten<char>(words);
    write(name + "/offsets", offsets);
    write(name + "/values", values);
  }
  void operator()(const std::string& name, Lists& lists) {
    const auto [offsets, values] = flatten<std::uint32_t>(lists);
    write(name + "/offsets", offsets);
    write(name + "/values", values);
  }

  const Status& status() const { return status_; }
  json::array take_index() { return std::move(index_); }

 private:
  void write(const std::string& name, const Buffer& block) {
    index_.push_back({{"name", name},
                      {"offset", offset_},
                      {"size", block.size()},
                      {"xxh3", fmt::format("{:016x}", hash_bytes(block.bytes()))}});
    append(block.bytes());
    const std::size_t tail = block.size() % kAlignment;
    static constexpr std::byte kZeros[kAlignment] = {};
    if (tail != 0) append(std::span(kZeros, kAlignment - tail));
  }
  void append(std::span<const std::byte> bytes) {
    if (!status_.ok() || bytes.empty()) return;
    status_ = file_.append(bytes);
    offset_ += bytes.size();
  }

  WritableFile& file_;
  Status status_ = ok_status();
  std::uint64_t offset_ = 0;
  json::array index_;
};

// Hands out the blocks in the order they were written. After the first mismatch every block is empty.
class BlockReader {
 public:
  BlockReader(Buffer file, const json::array& index) : file_(std::move(file)), index_(index) {}

  void operator()(const std::string& name, Buffer& block) { block = take(name); }
  void operator()(const std::string& name, std::vector<std::string>& words) {
    const Buffer offsets = take(name + "/offsets");
    const Buffer values = take(name + "/values");
    for_each_row(name, offsets, values.size(), [&](std::uint64_t begin, std::uint64_t end) {
      words.emplace_back(values.text().substr(begin, end - begin));
    });
  }
  void operator()(const std::string& name, Lists& lists) {
    const Buffer offsets = take(name + "/offsets");
    const Buffer values = take(name + "/values");
    const auto numbers = values.as<std::uint32_t>();
    for_each_row(name, offsets, numbers.size(), [&](std::uint64_t begin, std::uint64_t end) {
      const auto row = numbers.subspan(begin, end - begin);
      lists.emplace_back(row.begin(), row.end());
    });
  }

  std::string problem() const {
    if (!problem_.empty() || next_ == index_.size()) return problem_;
    return "it has more blocks than expected";
  }

 private:
  Buffer take(const std::string& name) {
    if (!problem_.empty()) return {};
    if (next_ == index_.size()) return fail(fmt::format("block {} is missing", name));
    const json::object& entry = index_[next_++].as_object();
    const auto offset = entry.at("offset").to_number<std::uint64_t>();
    const auto size = entry.at("size").to_number<std::uint64_t>();
    if (entry.at("name").as_string() != name) return fail(fmt::format("block {} is missing", name));
    if (offset > file_.size() || size > file_.size() - offset || offset % kAlignment != 0) {
      return fail(fmt::format("block {} is cut short", name));
    }
    if (size == 0) return {};
    Buffer block = file_.slice(offset, size);
    if (fmt::format("{:016x}", hash_bytes(block.bytes())) != std::string_view(entry.at("xxh3").as_string())) {
      return fail(fmt::format("block {} does not match its checksum", name));
    }
    return block;
  }
  Buffer fail(std::string problem) {
    problem_ = std::move(problem);
    return {};
  }
  template <typename Visit>
  void for_each_row(const std::string& name, const Buffer& offsets, std::uint64_t end, const Visit& visit) {
    const auto bounds = offsets.as<std::uint64_t>();
    for (std::size_t i = 1; i < bounds.size(); ++i) {
      if (bounds[i - 1] > bounds[i] || bounds[i] > end) {
        fail(fmt::format("block {}/offsets points beyond its values", name));
        return;
      }
      visit(bounds[i - 1], bounds[i]);
    }
  }

  Buffer file_;
  const json::array& index_;
  std::size_t next_ = 0;
  std::string problem_;
};

json::object meta_of(const Dataset& data, json::array blocks) {
  json::array fields;
  for (const auto& field : data.fields) {
    fields.push_back({{"name", field.name},
                      {"table", field.table},
                      {"source", static_cast<int>(field.source)},
                      {"dense", field.dense},
                      {"list", field.list},
                      {"pooling", static_cast<int>(field.pooling)},
                      {"length", field.length},
                      {"cardinality", field.cardinality}});
  }
  return {{"version", kFormatVersion},
          {"fingerprint", fmt::format("{:016x}", data.fingerprint)},
          {"task", static_cast<int>(data.task)},
          {"users", data.num_users},
          {"items", data.num_items},
          {"sizes", {data.train.size, data.valid.size, data.test.size}},
          {"fields", std::move(fields)},
          {"summary", data.summary},
          {"blocks", std::move(blocks)}};
}

// Throws what Boost.JSON throws when a key is missing or of another kind; so does what follows.
template <typename Enum>
Enum enum_of(const json::object& object, std::string_view key, Enum last) {
  const auto number = object.at(key).to_number<std::uint32_t>();
  if (number > static_cast<std::uint32_t>(last)) throw std::out_of_range(std::string(key));
  return static_cast<Enum>(number);
}

void read_meta(const json::object& meta, Dataset& data) {
  data.task = enum_of(meta, "task", Task::kRanking);
  data.num_users = meta.at("users").to_number<std::uint32_t>();
  data.num_items = meta.at("items").to_number<std::uint32_t>();
  const json::array& sizes = meta.at("sizes").as_array();
  data.train.size = sizes.at(0).to_number<std::uint64_t>();
  data.valid.size = sizes.at(1).to_number<std::uint64_t>();
  data.test.size = sizes.at(2).to_number<std::uint64_t>();
  data.summary = std::string(meta.at("summary").as_string());
  for (const auto& entry : meta.at("fields").as_array()) {
    const json::object& object = entry.as_object();
    FieldInfo field;
    field.name = std::string(object.at("name").as_string());
    field.table = std::string(object.at("table").as_string());
    field.source = enum_of(object, "source", FieldSource::kItem);
    field.dense = object.at("dense").as_bool();
    field.list = object.at("list").as_bool();
    field.pooling = enum_of(object, "pooling", Pooling::kMax);
    field.length = object.at("length").to_number<std::uint32_t>();
    field.cardinality = object.at("cardinality").to_number<std::uint64_t>();
    data.fields.push_back(std::move(field));
  }
}

Error corrupt(const std::string& folder, std::string_view why) {
  return make_error(ErrorCode::kCorrupt, fmt::format("prepared data in {}: {}", folder, why));
}

}  // namespace

Status write_prepared(Storage& storage, const std::string& folder, const Dataset& data) {
  CAPSTAN_TRY(storage.create_dirs(folder));
  const std::string columns = folder + "/columns.bin";
  CAPSTAN_ASSIGN(auto file, storage.create(columns + ".tmp"));
  Dataset shared = data;  // shares the bytes
  BlockWriter writer(*file);
  for_each_block(writer, shared);
  CAPSTAN_TRY(writer.status());
  CAPSTAN_TRY(file->sync());
  CAPSTAN_TRY(file->close());
  CAPSTAN_TRY(storage.rename(columns + ".tmp", columns));
  const std::string meta = seal_json(kMetaName, json::serialize(meta_of(data, writer.take_index())));
  return storage.publish(folder + "/meta.json", std::as_bytes(std::span(meta)));
}

Result<Dataset> read_prepared(const Buffer& meta, const Buffer& columns, const std::string& folder,
                              std::uint64_t fingerprint) {
  const auto text = unseal_json(kMetaName, meta.text());
  if (!text.ok()) return corrupt(folder, text.error().message);
  try {
    const json::value value = json::parse(json::string_view(text->data(), text->size()));
    const json::object& object = value.as_object();
    if (object.at("version").to_number<int>() != kFormatVersion) return corrupt(folder, "another version");
    if (object.at("fingerprint").as_string() != fmt::format("{:016x}", fingerprint)) {
      return corrupt(folder, "another fingerprint");
    }
    Dataset data;
    data.fingerprint = fingerprint;
    read_meta(object, data);
    BlockReader reader(columns, object.at("blocks").as_array());
    for_each_block(reader, data);
    if (!reader.problem().empty()) return corrupt(folder, reader.problem());
    const std::string block = misfit(data);
    if (!block.empty()) return corrupt(folder, fmt::format("block {} does not fit the sizes", block));
    return data;
  } catch (const std::exception& broken) {
    return corrupt(folder, broken.what());
  }
}

Result<Dataset> map_prepared(const std::string& folder, std::uint64_t fingerprint) {
  CAPSTAN_ASSIGN(const Buffer meta, map_file(folder + "/meta.json"));
  CAPSTAN_ASSIGN(const Buffer columns, map_file(folder + "/columns.bin"));
  return read_prepared(meta, columns, folder, fingerprint);
}

}  // namespace capstan

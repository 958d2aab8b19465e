// The schema of the job file: one list of keys a section, from which reading, checking, printing and
// docs/JOB_REFERENCE.md all follow. A key binds to a field of a struct through a Codec.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/config/read_context.h"
#include "common/config/yaml_node.h"

namespace capstan {

struct SectionSpec;

struct WordSpec {
  std::string word;
  std::string doc;
};

// What the reference says about a value.
struct TypeSpec {
  std::string name;                            // "integer", "list of text", "section"
  std::string range;                           // "1 to 64"; empty: any
  std::vector<WordSpec> words;                 // the allowed ones, where they are fixed
  std::shared_ptr<const SectionSpec> section;  // the keys inside, for sections and lists and maps of them
};

// How a value of type T is read from YAML and written back. write(read(x)) gives an equal value.
template <typename T>
struct Codec {
  TypeSpec type;
  // Leaves `value` as it is after an error.
  std::function<void(T& value, const YamlNode& node, const std::string& path, ReadContext& context)> read;
  std::function<YamlNode(const T& value)> write;  // null: not set
};

// A key with its struct erased; `object` is the struct that the section describes.
struct KeySpec {
  std::string name;
  std::string alias;  // another spelling that is read too
  std::string doc;
  std::string default_note;  // replaces the default in the reference where a formula decides it
  TypeSpec type;
  std::function<void(void* object, const YamlNode& node, const std::string& path, ReadContext& context)> read;
  std::function<YamlNode(const void* object)> write;
};

struct SectionSpec {
  std::vector<KeySpec> keys;
  std::function<YamlNode()> defaults;
  const KeySpec* find(const std::string& name) const;
  std::vector<std::string> names() const;
};

// The key that a path of the job file names ("tables.user.dim", "features[0].columns"); null: none.
const KeySpec* find_key(const SectionSpec& section, std::string_view path);

// Reads a section into its struct: unknown keys, wrong types and words out of range become errors of the
// context.
void read_section(const SectionSpec& section, void* object, const YamlNode& node, const std::string& path,
                  ReadContext& context);
YamlNode write_section(const SectionSpec& section, const void* object);

// Builds a section for struct T.
template <typename T>
class SectionBuilder {
 public:
  SectionBuilder() {
    spec_.defaults = [] { return YamlNode(); };
  }

  template <typename M>
  SectionBuilder& key(std::string name, M T::*member, Codec<M> codec, std::string doc) {
    KeySpec spec;
    spec.name = std::move(name);
    spec.doc = std::move(doc);
    spec.type = codec.type;
    spec.read = [member, read = codec.read](void* object, const YamlNode& node, const std::string& path,
                                            ReadContext& context) {
      read(static_cast<T*>(object)->*member, node, path, context);
    };
    spec.write = [member, write = codec.write](const void* object) {
      return write(static_cast<const T*>(object)->*member);
    };
    spec_.keys.push_back(std::move(spec));
    return *this;
  }
  // A section of the file whose keys bind to the same struct.
  SectionBuilder& group(std::string name, std::shared_ptr<const SectionSpec> section, std::string doc) {
    KeySpec spec;
    spec.name = std::move(name);
    spec.doc = std::move(doc);
    spec.type = {"section", "", {}, section};
    spec.read = [section](void* object, const YamlNode& node, const std::string& path, ReadContext& context) {
      read_section(*section, object, node, path, context);
    };
    spec.write = [section](const void* object) { return write_section(*section, object); };
    spec_.keys.push_back(std::move(spec));
    return *this;
  }
  // For the key added last.
  SectionBuilder& alias(std::string name) {
    spec_.keys.back().alias = std::move(name);
    return *this;
  }
  SectionBuilder& default_note(std::string note) {
    spec_.keys.back().default_note = std::move(note);
    return *this;
  }

  // `standard` holds the defaults where they are not those of a default-made struct.
  std::shared_ptr<const SectionSpec> build(T standard = {}) {
    auto section = std::make_shared<SectionSpec>(std::move(spec_));
    const SectionSpec* raw = section.get();
    section->defaults = [raw, standard = std::move(standard)] { return write_section(*raw, &standard); };
    return section;
  }

 private:
  SectionSpec spec_;
};

// The whole job file: binds to JobConfig.
std::shared_ptr<const SectionSpec> job_schema();

// One function a section, each in a file of its own.
std::shared_ptr<const SectionSpec> data_schema();
std::shared_ptr<const SectionSpec> feature_schema();
std::shared_ptr<const SectionSpec> table_schema();
std::shared_ptr<const SectionSpec> model_schema();
std::shared_ptr<const SectionSpec> optimizer_schema(const OptimizerSpec& standard = {});
std::shared_ptr<const SectionSpec> train_schema();
std::shared_ptr<const SectionSpec> evaluate_schema();
std::shared_ptr<const SectionSpec> tune_schema();
std::shared_ptr<const SectionSpec> checkpoint_schema();
std::shared_ptr<const SectionSpec> cluster_schema();
std::shared_ptr<const SectionSpec> scheduler_schema();

}  // namespace capstan

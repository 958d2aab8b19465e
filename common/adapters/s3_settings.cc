#include "common/adapters/s3_settings.h"

#include <cstdlib>
#include <initializer_list>

namespace capstan {
namespace {

// The first of the variables that has a value.
std::string first_of(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != '\0') return value;
  }
  return "";
}

}  // namespace

S3Settings s3_settings_from_environment() {
  S3Settings settings;
  settings.access_key = first_of({"AWS_ACCESS_KEY_ID"});
  settings.secret_key = first_of({"AWS_SECRET_ACCESS_KEY"});
  settings.session_token = first_of({"AWS_SESSION_TOKEN"});
  settings.endpoint = first_of({"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"});
  settings.ca_file = first_of({"AWS_CA_BUNDLE"});
  while (settings.endpoint.ends_with('/')) settings.endpoint.pop_back();
  if (const std::string region = first_of({"AWS_REGION", "AWS_DEFAULT_REGION"}); !region.empty()) {
    settings.region = region;
  }
  return settings;
}

}  // namespace capstan

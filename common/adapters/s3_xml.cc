#include "common/adapters/s3_xml.h"

#include <spdlog/fmt/fmt.h>

#include <pugixml.hpp>
#include <sstream>

#include "common/text.h"

namespace capstan {
namespace {

Result<pugi::xml_node> root_of(pugi::xml_document& document, std::string_view xml, const char* root) {
  const pugi::xml_parse_result parsed = document.load_buffer(xml.data(), xml.size());
  const pugi::xml_node node = document.child(root);
  if (parsed && node) return node;
  return make_error(ErrorCode::kCorrupt, fmt::format("the store's answer is no {}: {}", root,
                                                     parsed ? "another element" : parsed.description()));
}

}  // namespace

S3Fault read_s3_fault(std::string_view xml) {
  pugi::xml_document document;
  if (!document.load_buffer(xml.data(), xml.size())) return {};
  const pugi::xml_node error = document.child("Error");
  return {error.child_value("Code"), error.child_value("Message"), error.child_value("Region")};
}

Result<S3Page> read_s3_page(std::string_view xml) {
  pugi::xml_document document;
  CAPSTAN_ASSIGN(const pugi::xml_node list, root_of(document, xml, "ListBucketResult"));
  S3Page page;
  for (const pugi::xml_node object : list.children("Contents")) {
    const auto size = parse_uint(object.child_value("Size"));
    if (!size) return make_error(ErrorCode::kCorrupt, "the store lists an object without its size");
    page.objects.push_back({object.child_value("Key"), *size});
  }
  for (const pugi::xml_node prefix : list.children("CommonPrefixes")) {
    page.prefixes.emplace_back(prefix.child_value("Prefix"));
  }
  const bool more = std::string_view(list.child_value("IsTruncated")) == "true";
  if (more) page.next = list.child_value("NextContinuationToken");
  if (more && page.next.empty()) return make_error(ErrorCode::kCorrupt, "the store's list breaks off");
  return page;
}

Result<std::string> read_s3_upload_id(std::string_view xml) {
  pugi::xml_document document;
  CAPSTAN_ASSIGN(const pugi::xml_node begun, root_of(document, xml, "InitiateMultipartUploadResult"));
  std::string id = begun.child_value("UploadId");
  if (id.empty()) return make_error(ErrorCode::kCorrupt, "the store names no upload");
  return id;
}

Result<std::vector<S3Upload>> read_s3_uploads(std::string_view xml) {
  pugi::xml_document document;
  CAPSTAN_ASSIGN(const pugi::xml_node list, root_of(document, xml, "ListMultipartUploadsResult"));
  std::vector<S3Upload> uploads;
  for (const pugi::xml_node upload : list.children("Upload")) {
    uploads.push_back({upload.child_value("Key"), upload.child_value("UploadId")});
  }
  return uploads;
}

std::string s3_completion(const std::vector<std::string>& etags) {
  pugi::xml_document document;
  pugi::xml_node upload = document.append_child("CompleteMultipartUpload");
  for (std::size_t i = 0; i < etags.size(); ++i) {
    pugi::xml_node part = upload.append_child("Part");
    part.append_child("PartNumber").text().set(static_cast<unsigned long long>(i + 1));
    part.append_child("ETag").text().set(etags[i].c_str());
  }
  std::ostringstream text;
  document.save(text, "", pugi::format_raw | pugi::format_no_declaration);
  return text.str();
}

}  // namespace capstan

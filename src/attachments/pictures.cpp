#include "bottega/attachments/pictures.hpp"

#include <vips/vips.h>

#include <memory>

#include "bottega/core/error.hpp"

namespace bottega::attachments {
namespace {

constexpr int kQuality = 80;

struct Loader {
  std::string_view media_type;
  const char* name;  // of the libvips class that reads it
};
constexpr Loader kLoaders[] = {
    {"image/jpeg", "VipsForeignLoadJpegFile"},
    {"image/png", "VipsForeignLoadPngFile"},
    {"image/webp", "VipsForeignLoadWebpFile"},
    {"image/gif", "VipsForeignLoadNsgifFile"},
};

// libvips tells its failures by exceptions of ours; it must not write lines of its own into the
// log.
void say_nothing(const gchar*, GLogLevelFlags, const gchar*, gpointer) {}

// Everything but the four loaders is forbidden: no PDF, no SVG, no ImageMagick. One thread per
// image, and nothing is remembered from one image to the next.
bool start_vips() {
  g_log_set_default_handler(say_nothing, nullptr);
  if (VIPS_INIT("bottega") != 0) return false;
  vips_concurrency_set(1);
  vips_cache_set_max(0);
  vips_operation_block_set("VipsForeignLoad", TRUE);
  for (const auto* name :
       {"VipsForeignLoadJpeg", "VipsForeignLoadPng", "VipsForeignLoadWebp", "VipsForeignLoadNsgif"})
    vips_operation_block_set(name, FALSE);
  return true;
}

void require_vips() {
  static const bool started = start_vips();
  if (!started) throw Error(Code::internal, "libvips does not start");
}

[[noreturn]] void refuse(const char* words) {
  vips_error_clear();
  throw Error(Code::invalid, words, {{"", "is not an image that can be shown"}});
}

struct Unref {
  void operator()(VipsImage* image) const { g_object_unref(image); }
};
using Image = std::unique_ptr<VipsImage, Unref>;

void require_loader(const std::string& path, std::string_view media_type) {
  const char* const found = vips_foreign_find_load(path.c_str());
  for (const auto& row : kLoaders)
    if (row.media_type == media_type && found != nullptr && row.name == std::string_view(found))
      return;
  refuse("the image cannot be read");
}

Image open_header(const std::string& path) {
  Image image(vips_image_new_from_file(path.c_str(), "access", VIPS_ACCESS_SEQUENTIAL, nullptr));
  if (!image) refuse("the image cannot be read");
  return image;
}

Image shrink(const std::string& path) {
  VipsImage* out = nullptr;
  if (vips_thumbnail(path.c_str(), &out, kThumbnailSide, "height", kThumbnailSide, "size",
                     VIPS_SIZE_DOWN, "export_profile", "srgb", "fail_on", VIPS_FAIL_ON_ERROR,
                     nullptr) != 0)
    refuse("the image is damaged");
  return Image(out);
}

std::string write_jpeg(VipsImage* image) {
  const double white[] = {255.0};
  std::unique_ptr<VipsArrayDouble, void (*)(VipsArrayDouble*)> background(
      vips_array_double_new(white, 1),
      [](VipsArrayDouble* one) { vips_area_unref(VIPS_AREA(one)); });
  void* bytes = nullptr;
  std::size_t size = 0;
  if (vips_jpegsave_buffer(image, &bytes, &size, "Q", kQuality, "strip", TRUE, "background",
                           background.get(), nullptr) != 0)
    refuse("the image is damaged");
  std::string out(static_cast<const char*>(bytes), size);
  g_free(bytes);
  return out;
}

}  // namespace

Picture read_picture(const std::filesystem::path& file, std::string_view media_type,
                     std::int64_t pixels_max) {
  require_vips();
  const auto path = file.string();
  require_loader(path, media_type);
  Picture picture;
  {
    const auto header = open_header(path);
    picture.width = vips_image_get_width(header.get());
    picture.height = vips_image_get_height(header.get());
    if (picture.width * picture.height > pixels_max)
      throw Error(Code::invalid, "the image has too many pixels",
                  {{"", "has at most " + std::to_string(pixels_max) + " pixels"}});
    if (vips_image_get_orientation_swap(header.get())) std::swap(picture.width, picture.height);
  }
  picture.thumbnail = write_jpeg(shrink(path).get());
  vips_thread_shutdown();
  return picture;
}

}  // namespace bottega::attachments

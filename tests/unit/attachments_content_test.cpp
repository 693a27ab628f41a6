// What a file is by its bytes: each kind that is taken, what is refused, and what the client may
// choose.
#include "bottega/attachments/content.hpp"

#include <gtest/gtest.h>

#include "support/errors.hpp"
#include "support/media.hpp"

namespace bottega::test {
namespace attachments_content_test {

using namespace attachments;
using namespace std::string_literals;

const std::string kWord = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
const std::string kSheet = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const std::string kSlides =
    "application/vnd.openxmlformats-officedocument.presentationml.presentation";

std::string office(const std::string& part) {
  return a_zip({{"[Content_Types].xml", "<Types/>"}, {"_rels/.rels", "<r/>"}, {part, "<x/>"}});
}
std::string ftyp(const std::string& brand) {
  return "\0\0\0\x18"s + "ftyp" + brand + "\0\0\0\0isommp42"s;
}
std::string ogg(const std::string& packet) {
  return "OggS"s + std::string(23, '\0') + "\x13" + packet + std::string(40, '\0');
}
// Two frames of MPEG 1, layer III, 128 kbit/s, 44.1 kHz: 417 bytes each.
std::string mp3() {
  const auto frame = "\xff\xfb\x90\x64"s + std::string(413, '\0');
  return frame + frame;
}
std::string adts() {
  const auto frame = "\xff\xf1\x50\x80\x02\x1f\xfc"s + std::string(9, '\0');
  return frame + frame;
}

struct Sample {
  const char* name;
  std::string bytes;
  std::string media_type;
};
void PrintTo(const Sample& sample, std::ostream* out) { *out << sample.name; }

const Sample kTaken[] = {
    {"Jpeg", a_jpeg(), "image/jpeg"},
    {"Png", a_png(3, 2), "image/png"},
    {"Gif", a_gif(), "image/gif"},
    {"Webp", a_webp(), "image/webp"},
    {"Mp3WithTags", "ID3\4\0\0\0\0\0\0"s, "audio/mpeg"},
    {"Mp3Frames", mp3(), "audio/mpeg"},
    {"M4a", ftyp("M4A "), "audio/mp4"},
    {"Adts", adts(), "audio/aac"},
    {"Opus", ogg("OpusHead"), "audio/ogg"},
    {"Vorbis", ogg("\x01vorbis"), "audio/ogg"},
    {"Wave", "RIFF\x24\0\0\0WAVEfmt "s, "audio/wav"},
    {"Mp4", ftyp("isom"), "video/mp4"},
    {"Mp4OfAPhone", ftyp("mp42"), "video/mp4"},
    {"ThreeGpp", ftyp("3gp4"), "video/3gpp"},
    {"Webm", "\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm"s, "video/webm"},
    {"Pdf", a_pdf(100), "application/pdf"},
    {"PlainText", "Grüß Gott,\n\tein Text\r\n", "text/plain"},
    {"TextWithAMark", "\xef\xbb\xbfHello", "text/plain"},
    {"TextThatBeginsWithALess", "<3 to you", "text/plain"},
    {"Zip", a_zip({{"a.txt", "a"}}), "application/zip"},
    {"Docx", office("word/document.xml"), kWord},
    {"Xlsx", office("xl/workbook.xml"), kSheet},
    {"Pptx", office("ppt/presentation.xml"), kSlides},
    {"Odt", a_zip({{"mimetype", "application/vnd.oasis.opendocument.text"}, {"a", "b"}}),
     "application/vnd.oasis.opendocument.text"},
};

class TakenContent : public testing::TestWithParam<Sample> {};
TEST_P(TakenContent, IsKnownByItsBytesWhateverItIsCalled) {
  const auto& sample = GetParam();
  EXPECT_EQ(identify(sample.bytes, "").media_type, sample.media_type);
  EXPECT_EQ(identify(sample.bytes, "application/octet-stream").media_type, sample.media_type);
  EXPECT_EQ(identify(sample.bytes, sample.media_type).media_type, sample.media_type);
  EXPECT_EQ(identify(sample.bytes, sample.media_type + "; charset=utf-8").media_type,
            sample.media_type);
}
TEST_P(TakenContent, IsRefusedUnderTheNameOfAnother) {
  const auto& sample = GetParam();
  const auto* other = sample.media_type == "image/png" ? "image/gif" : "image/png";
  for (const std::string declared : {other, "text/html", "application/x-msdownload"})
    EXPECT_EQ(code_of([&] { identify(sample.bytes, declared); }), Code::unsupported_media_type)
        << declared;
}
INSTANTIATE_TEST_SUITE_P(Content, TakenContent, testing::ValuesIn(kTaken),
                         [](const auto& test) { return std::string(test.param.name); });

const Sample kRefused[] = {
    {"Nothing", "", ""},
    {"Html", "<!DOCTYPE html><p>Hi", ""},
    {"HtmlBehindSpace", " \n\t<HTML><body>", ""},
    {"AScriptSomewhere", "Hello\n<script>alert(1)</script>", ""},
    {"AFrameInCapitals", "x <IFRAME src=a>", ""},
    {"AComment", "<!-- a --> text", ""},
    {"Svg", "<svg xmlns='http://www.w3.org/2000/svg'/>", ""},
    {"Xml", "<?xml version='1.0'?><svg/>", ""},
    {"SvgBehindAMark", "\xef\xbb\xbf<svg onload='x'>", ""},
    {"AShellScript", "#!/bin/sh\nrm -r .", ""},
    {"Elf",
     "\x7f"
     "ELF\x02\x01\x01"s +
         std::string(60, '\0'),
     ""},
    {"WindowsProgram", "MZ\x90\0\3\0\0\0"s, ""},
    {"AnAppForAPhone", a_zip({{"AndroidManifest.xml", "a"}, {"classes.dex", "b"}}), ""},
    {"AProgramForJava", a_zip({{"META-INF/MANIFEST.MF", "a"}, {"A.class", "b"}}), ""},
    {"ABook", a_zip({{"mimetype", "application/epub+zip"}}), ""},
    {"Matroska", "\x1a\x45\xdf\xa3\x9f\x42\x82\x88matroska"s, ""},
    {"HeifPicture", ftyp("heic"), ""},
    {"QuickTime", ftyp("qt  "), ""},
    {"VideoInOgg", ogg("\x80theora"), ""},
    {"OldOffice", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"s, ""},
    {"Avi", "RIFF\x24\0\0\0AVI LIST"s, ""},
    {"ANulInAText", "Hello\0World"s, ""},
    {"BrokenUtf8", "Hello \xc3\x28", ""},
    {"Latin1", "Gr\xfc\xdf Gott", ""},
    {"OneFrameOfSoundOnly", "\xff\xfb\x90\x64"s + std::string(600, '\1'), ""},
    {"PdfNotAtTheBeginning", "\0%PDF-1.7"s, ""},
};

class RefusedContent : public testing::TestWithParam<Sample> {};
TEST_P(RefusedContent, IsRefusedWhateverTheClientSays) {
  for (const std::string declared : {"", "text/plain", "image/png", "application/octet-stream"})
    EXPECT_EQ(code_of([&] { identify(GetParam().bytes, declared); }), Code::unsupported_media_type)
        << declared;
}
INSTANTIATE_TEST_SUITE_P(Content, RefusedContent, testing::ValuesIn(kRefused),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(Content, TheClientChoosesWhereTheBytesLeaveAChoice) {
  EXPECT_EQ(identify("a,b\n1,2\n", "text/csv").media_type, "text/csv");
  EXPECT_EQ(identify(ftyp("mp42"), "audio/mp4").kind, Kind::audio);
  EXPECT_EQ(identify(ftyp("mp42"), "audio/x-m4a").media_type, "audio/mp4");
  EXPECT_EQ(identify(kTaken[14].bytes, "audio/webm").kind, Kind::audio);
  EXPECT_EQ(identify(a_jpeg(), "IMAGE/JPG").media_type, "image/jpeg");
  const auto package = a_zip({{"[Content_Types].xml", "<Types/>"}});
  EXPECT_EQ(identify(package, kWord).media_type, kWord);
  EXPECT_EQ(identify(package, "").media_type, "application/zip");
  EXPECT_EQ(code_of([] {
              identify(a_zip({{"a.txt", "a"}}), kWord);
            }),
            Code::unsupported_media_type);
}

TEST(Content, ARefusalNamesWhatIsTaken) {
  try {
    identify("\0\1\2"s, "");
    FAIL() << "it was taken";
  } catch (const Error& error) {
    for (const auto& type : accepted_types())
      EXPECT_NE(std::string(error.what()).find(type.media_type), std::string::npos);
  }
}

TEST(Content, ANameGetsAnExtensionThatFitsAndLosesItsFolders) {
  const auto& text = type_named("text/plain");
  const auto& jpeg = type_named("image/jpeg");
  EXPECT_EQ(file_name("photo.jpg", jpeg), "photo.jpg");
  EXPECT_EQ(file_name("photo.JPEG", jpeg), "photo.JPEG");
  EXPECT_EQ(file_name("invoice.bat", text), "invoice.bat.txt");
  EXPECT_EQ(file_name("../../etc/passwd", text), "passwd.txt");
  EXPECT_EQ(file_name("C:\\Users\\a\\photo.jpg", jpeg), "photo.jpg");
  EXPECT_EQ(file_name("...", jpeg), "attachment.jpg");
  EXPECT_EQ(file_name(".htaccess", text), "htaccess.txt");
  EXPECT_EQ(file_name("photo.jpg. ", jpeg), "photo.jpg");
}

TEST(Content, TextIsCheckedAcrossPieces) {
  const std::string text = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z";
  for (std::size_t at = 0; at <= text.size(); ++at) {
    TextCheck check;
    EXPECT_TRUE(check.take(std::string_view(text).substr(0, at)));
    EXPECT_TRUE(check.take(std::string_view(text).substr(at))) << at;
    EXPECT_TRUE(check.is_whole());
  }
  for (const std::string broken : {"\xc0\xaf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                                   "\x80", "\xff", "\x1b[31m", "\x7f"})
    EXPECT_FALSE(TextCheck().take(broken));
  TextCheck cut;
  EXPECT_TRUE(cut.take("\xe2\x82"));
  EXPECT_FALSE(cut.is_whole());
}

TEST(Content, NothingThatCouldHoldAScriptIsShownInPlace) {
  for (const auto& type : accepted_types()) {
    const bool media = type.media_type.starts_with("image/") ||
                       type.media_type.starts_with("audio/") ||
                       type.media_type.starts_with("video/");
    EXPECT_EQ(type.show == Show::inside, media) << type.media_type;
    EXPECT_EQ(type.kind == Kind::document, !media) << type.media_type;
    EXPECT_EQ(type.media_type.find("svg"), std::string_view::npos);
    EXPECT_EQ(type.media_type.find("html"), std::string_view::npos);
  }
}

}  // namespace attachments_content_test
}  // namespace bottega::test

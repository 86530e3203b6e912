/*
 * bench_data.c - writes the inputs of the benchmarks: the same bytes everywhere.
 *
 *     bench_data FOLDER
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *folder;

static FILE *create(const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    if (!file) {
        perror(path);
        exit(1);
    }
    return file;
}

static void finish(FILE *file)
{
    if (ferror(file) || fclose(file) != 0) {
        perror(folder);
        exit(1);
    }
}

static void write_file(const char *name, const char *text)
{
    FILE *file = create(name);
    fputs(text, file);
    finish(file);
}

/* What an alert says: quotes, newlines, tabs, backslashes and characters that are not ASCII. */
static const char paragraph[] =
    "Disk \"/var\" of db-7 (192.0.2.17) is 97 % full.\n\n"
    "* rule:\tfree < 5 % for 10 min\n"
    "* last line: {\"level\":\"error\",\"text\":\"write to \\\"wal\\\" failed\"}\n"
    "* share: \\\\files\\logs\\db-7\n"
    "The archive job has not run since Tuesday; the operator says \xE2\x80\x9Cno room "
    "left\xE2\x80\x9D \xE2\x80\x93 please look at the caf\xC3\xA9 branch first.\n";

/* size bytes; cut between characters and filled up. */
static char *description(size_t size)
{
    char *text = malloc(size + sizeof paragraph + 32);
    size_t length = 0;
    if (!text) exit(1);
    for (int i = 0; length < size; i++) length += (size_t)sprintf(text + length, "[%04d] %s", i, paragraph);
    length = size;
    while (length && ((unsigned char)text[length] & 0xC0) == 0x80) length--;
    memset(text + length, '.', size - length);
    text[size] = '\0';
    return text;
}

static void put_string(FILE *file, const char *text)
{
    fputc('"', file);
    for (; *text; text++) {
        if (*text == '\n')
            fputs("\\n", file);
        else if (*text == '\t')
            fputs("\\t", file);
        else
            fprintf(file, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
    }
    fputc('"', file);
}

#define TITLE "Disk nearly full on \"db-7\" \xE2\x80\x93 case 17"

static void write_body(const char *name, const char *text)
{
    FILE *file = create(name);
    fputs("{\n  \"fields\": {\n    \"summary\": ", file);
    put_string(file, TITLE);
    fputs(",\n    \"description\": ", file);
    put_string(file, text);
    fputs(",\n    \"labels\": [\"disk\",\"db-7\",\"prod/eu-north\",\"on \\\"call\\\"\"],\n"
          "    \"project\": {\"key\": \"OPS\"},\n    \"issuetype\": {\"id\": \"10024\"}\n  }\n}",
          file);
    finish(file);
}

static void put_user(FILE *file, const char *name, int number)
{
    fprintf(file,
            "\"%s\":{\"self\":\"http://localhost/rest/api/2/user?accountId=%d\",\"accountId\":\"5b10%020d\"",
            name, number, number);
    fprintf(file,
            ",\"emailAddress\":\"user%d@example.test\",\"displayName\":\"User Number %d\",\"active\":true}",
            number, number);
}

static void put_case(FILE *file, const char *text, int comments)
{
    fputs(
        "{\"expand\":\"names,schema\",\"id\":\"10001\",\"self\":\"http://localhost/rest/api/2/issue/10001\","
        "\"key\":\"OPS-1\",\"fields\":{\"created\":\"2024-01-01T00:00:00.000+0000\","
        "\"issuetype\":{\"id\":\"10024\",\"name\":\"Case\",\"subtask\":false},\"priority\":{\"name\":"
        "\"Medium\",\"id\":3},"
        "\"labels\":[\"disk\",\"db-7\",\"prod/eu-north\"],\"assignee\":null,"
        "\"status\":{\"name\":\"To Do\",\"category\":{\"id\":2,\"color\":\"blue-gray\"}},",
        file);
    put_user(file, "creator", 1);
    fputs(",\"description\":", file);
    put_string(file, text);
    fputs(",\"summary\":", file);
    put_string(file, TITLE);
    fputs(",\"comment\":{\"comments\":[", file);
    for (int i = 0; i < comments; i++) {
        fprintf(file, "%s{\"id\":\"%d\",", i ? "," : "", 20000 + i);
        put_user(file, "author", i);
        fputs(",\"body\":", file);
        put_string(file, paragraph);
        fputc('}', file);
    }
    fputs("]},\"progress\":{\"progress\":0,\"total\":0}}}", file);
}

static void write_case(const char *name, const char *text, int comments)
{
    FILE *file = create(name);
    put_case(file, text, comments);
    finish(file);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    folder = argv[1];
    char *small = description(1024), *large = description(64 * 1024);
    write_file("title.txt", TITLE);
    write_file("tags.txt", "disk\ndb-7\nprod/eu-north\non \"call\"\n");
    write_file("template.json",
               "{\n  \"fields\": {\n    \"summary\": {{{case.title}}},\n"
               "    \"description\": {{{case.description}}},\n    \"labels\": {{{case.tags}}},\n"
               "    \"project\": {\"key\": \"OPS\"},\n    \"issuetype\": {\"id\": \"10024\"}\n  }\n}\n");
    write_file("description_1k.txt", small);
    write_file("description_64k.txt", large);
    write_body("body_1k.json", small);
    write_body("body_64k.json", large);
    write_file("resp_300.json",
               "{\"id\":\"10001\",\"key\":\"OPS-1\",\"self\":\"http://localhost/rest/api/2/issue/10001\","
               "\"transition\":{\"status\":0,\"errorCollection\":{\"errorMessages\":[],\"errors\":{}}},"
               "\"watchers\":{\"status\":200,\"errorCollection\":{\"errorMessages\":[],\"errors\":{}}},"
               "\"note\":\"the answer of a server that knows one case\"}");
    write_case("resp_2k.json", small, 0);
    write_case("resp_1m.json", small, 1950);
    write_file("path_300.txt", "id");
    write_file("path_2k.txt", "fields.summary");
    write_file("path_1m.txt", "fields.comment.comments[1300].author.displayName");
    free(small);
    free(large);
    return 0;
}

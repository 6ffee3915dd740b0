// SPDX-License-Identifier: GPL-2.0
/*
 * Main thread, before there are others.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options/fields.h"
#include "process/log.h"

/* Columns of the help: where explanations begin, and where lines end. */
#define HELP_INDENT 24
#define HELP_WIDTH  79

/* A text of 1 to @max characters, for an array of @max + 1 characters. */
int field_text(const struct field *field, void *to, const char *text)
{
	if (!*text || strlen(text) > field->max)
		return -EINVAL;
	strcpy(to, text);
	return 0;
}

/*
 * A decimal number from @min to @max, for an unsigned int. Returns as @parse of
 * struct field.
 */
int field_number(const struct field *field, void *to, const char *text)
{
	unsigned long value;
	char *end;

	value = strtoul(text, &end, 10);
	/* strtoul() would skip blanks and take a sign. */
	if (!isdigit(*text) || *end || value < field->min || value > field->max)
		return -EINVAL;
	*(unsigned int *)to = value;
	return 0;
}

/* One of the words in @value; the unsigned int gets its index. */
int field_choice(const struct field *field, void *to, const char *text)
{
	const char *word = field->value;
	unsigned int index = 0;
	size_t length;

	for (;; index++) {
		length = strcspn(word, "|");
		if (strlen(text) == length && !strncmp(text, word, length))
			break;
		if (!word[length])
			return -EINVAL;
		word += length + 1;
	}
	*(unsigned int *)to = index;
	return 0;
}

/* Write name and value, for messages and help. */
static void describe(const struct field_table *table, const struct field *field,
		     const char *value, char *text, size_t size)
{
	if (value)
		snprintf(text, size, "%s%s%c%s", table->dashes, field->name,
			 table->separator, value);
	else
		snprintf(text, size, "%s%s", table->dashes, field->name);
}

/* Write what a field is, with the range of a number. */
static void explain(const struct field *field, char *text, size_t size)
{
	if (field->parse == field_number)
		snprintf(text, size, "%s, from %u to %u", field->help,
			 field->min, field->max);
	else
		snprintf(text, size, "%s", field->help);
}

/* Say that a value is wrong, and what would be right. Returns -EINVAL. */
static int refuse(const struct field_table *table, const struct field *field,
		  const char *value)
{
	char given[256], right[64], what[256];

	describe(table, field, value, given, sizeof(given));
	describe(table, field, field->value, right, sizeof(right));
	explain(field, what, sizeof(what));
	log_error("%s%s is refused; %s: %s", table->context, given, right,
		  what);
	return -EINVAL;
}

/**
 * field_set() - Store the meaning of a value
 * @table:	Table that @field is in
 * @field:	Field
 * @object:	Structure that is filled in
 * @value:	Value, or NULL if the field was given without one
 *
 * Return: 0 or -errno, with a message printed.
 */
int field_set(const struct field_table *table, const struct field *field,
	      void *object, const char *value)
{
	void *to = (char *)object + field->offset;
	int ret = 0;

	if (!value != !field->value)
		return refuse(table, field, value);
	if (value)
		ret = field->parse(field, to, value);
	else
		*(bool *)to = true;
	return ret == -EINVAL ? refuse(table, field, value) : ret;
}

/*
 * Parse one of the parts between commas, which is cut in two at its '='. Bit n
 * of
 * @given says that field n was given. Returns 0 or -errno, with a message
 * printed.
 */
static int parse_part(const struct field_table *table, void *object, char *part,
		      uint32_t *given)
{
	const struct field *field = table->fields;
	char *value = strchr(part, '=');
	uint32_t bit;

	if (value)
		*value++ = 0;
	while (field->name && strcmp(field->name, part))
		field++;
	bit = 1U << (field - table->fields);
	if (!field->name || *given & bit) {
		log_error("%s'%s' is %s", table->context, part,
			  field->name ? "given twice" : "unknown; see --help");
		return -EINVAL;
	}
	*given |= bit;
	return field_set(table, field, object, value);
}

/**
 * fields_check_required() - Check that no required field is missing
 * @table:	Table
 * @given:	Bit n says that field n was given
 *
 * Return: 0 or -EINVAL, with a message printed.
 */
int fields_check_required(const struct field_table *table, uint32_t given)
{
	const struct field *field;
	char name[64];

	for (field = table->fields; field->name; field++, given >>= 1) {
		if (!field->required || given & 1)
			continue;
		describe(table, field, field->value, name, sizeof(name));
		log_error("%s%s is missing: %s", table->context, name,
			  field->help);
		return -EINVAL;
	}
	return 0;
}

/**
 * fields_parse() - Parse a value that consists of fields
 * @table:	Table of the fields
 * @object:	Structure that is filled in; it has the defaults
 * @text:	Value
 *
 * Return: 0; -EBADMSG or another -errno, with a message printed.
 */
int fields_parse(const struct field_table *table, void *object,
		 const char *text)
{
	char *copy = strdup(text);
	uint32_t given = 0;
	char *part, *save;
	int ret = 0;

	if (!copy) {
		log_error("%s%s", table->context, strerror(ENOMEM));
		return -ENOMEM;
	}
	for (part = strtok_r(copy, ",", &save); part && !ret;
	     part = strtok_r(NULL, ",", &save))
		ret = parse_part(table, object, part, &given);
	free(copy);
	if (!ret)
		ret = fields_check_required(table, given);
	return ret == -EINVAL ? -EBADMSG : ret;
}

/* Print @text beside what has been printed up to @column, in several lines. */
static void print_wrapped(int column, const char *text)
{
	int length;

	if (column > HELP_INDENT - 2)
		column = HELP_WIDTH;
	for (; *text; text += length, text += strspn(text, " ")) {
		length = strcspn(text, " ");
		if (column + 1 + length > HELP_WIDTH) {
			putchar('\n');
			column = 0;
		}
		if (column < HELP_INDENT)
			column += printf("%*s", HELP_INDENT - column, "");
		else
			column += printf(" ");
		column += printf("%.*s", length, text);
	}
	putchar('\n');
}

/* Print the help of a table, and of the fields that its values consist of. */
void fields_print(const struct field_table *table, int indent)
{
	struct field_table below = { .context = "",
				     .dashes = "",
				     .separator = '=' };
	const struct field *field;
	char name[64], what[256];

	for (field = table->fields; field->name; field++) {
		describe(table, field, field->value, name, sizeof(name));
		explain(field, what, sizeof(what));
		print_wrapped(printf("%*s%s", indent, "", name), what);
		below.fields = field->fields;
		if (below.fields)
			fields_print(&below, indent + 4);
	}
}

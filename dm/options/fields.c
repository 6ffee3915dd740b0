// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options/fields.h"
#include "process/log.h"

/* A text of 1 to @max characters, for an array of @max + 1 characters. */
bool field_text(const struct field *field, void *to, const char *text)
{
	if (!*text || strlen(text) > field->max)
		return false;
	strcpy(to, text);
	return true;
}

/* A decimal number, for an unsigned int. */
bool field_number(const struct field *field, void *to, const char *text)
{
	unsigned long value;
	char *end;

	value = strtoul(text, &end, 10);
	if (end == text || *end || *text == '-' || value < field->min ||
	    value > field->max)
		return false;
	*(unsigned int *)to = value;
	return true;
}

/* One of the words in @value; the unsigned int gets its index. */
bool field_choice(const struct field *field, void *to, const char *text)
{
	const char *word = field->value;
	unsigned int index = 0;
	size_t length;

	for (;; index++) {
		length = strcspn(word, "|");
		if (strlen(text) == length && !strncmp(text, word, length))
			break;
		if (!word[length])
			return false;
		word += length + 1;
	}
	*(unsigned int *)to = index;
	return true;
}

/* Write what a field is, for messages and help, with the range of a number. */
void fields_describe(const struct field *field, char *text, size_t size)
{
	if (field->parse == field_number)
		snprintf(text, size, "%s, from %u to %u", field->help,
			 field->min, field->max);
	else
		snprintf(text, size, "%s", field->help);
}

static int refuse(const char *option, const struct field *field,
		  const char *value)
{
	char what[512];

	fields_describe(field, what, sizeof(what));
	log_error("--%s: %s%s%s is refused; %s%s%s: %s", option, field->name,
		  value ? "=" : "", value ? value : "", field->name,
		  field->value ? "=" : "", field->value ? field->value : "",
		  what);
	return -EINVAL;
}

static int set_field(const char *option, const struct field *field,
		     void *object, const char *value)
{
	void *to = (char *)object + field->offset;

	if (!value != !field->value ||
	    (value && !field->parse(field, to, value)))
		return refuse(option, field, value);
	if (!value)
		*(bool *)to = true;
	return 0;
}

/* Bit n of @given says that field n was given. */
static int parse_part(const char *option, const struct field *fields,
		      void *object, char *part, uint32_t *given)
{
	char *value = strchr(part, '=');
	unsigned int i = 0;

	if (value)
		*value++ = 0;
	while (fields[i].name && strcmp(fields[i].name, part))
		i++;
	if (!fields[i].name) {
		log_error("--%s: '%s' is unknown; see --help", option, part);
		return -EINVAL;
	}
	if (*given & 1U << i) {
		log_error("--%s: '%s' is given twice", option, part);
		return -EINVAL;
	}
	*given |= 1U << i;
	return set_field(option, &fields[i], object, value);
}

static int check_required(const char *option, const struct field *fields,
			  uint32_t given)
{
	unsigned int i;

	for (i = 0; fields[i].name; i++) {
		if (!fields[i].required || given & 1U << i)
			continue;
		log_error("--%s: %s=%s is missing", option, fields[i].name,
			  fields[i].value);
		return -EINVAL;
	}
	return 0;
}

/**
 * fields_parse() - Parse the value of an option
 * @option:	Name of the option, for messages
 * @fields:	Fields that the option has, at most 32
 * @object:	Structure that the fields are stored in; it has the defaults
 * @text:	Value
 *
 * Return: 0; -EINVAL or -ENOMEM, with a message printed.
 */
int fields_parse(const char *option, const struct field *fields, void *object,
		 const char *text)
{
	char *copy = strdup(text);
	uint32_t given = 0;
	char *part, *save;
	int ret = 0;

	if (!copy) {
		log_error("--%s: %s", option, strerror(ENOMEM));
		return -ENOMEM;
	}
	for (part = strtok_r(copy, ",", &save); part && !ret;
	     part = strtok_r(NULL, ",", &save))
		ret = parse_part(option, fields, object, part, &given);
	free(copy);
	return ret ? ret : check_required(option, fields, given);
}

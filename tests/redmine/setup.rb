# Run once by up.sh through `rails runner`: what a connector needs to find.
Setting.rest_api_enabled = '1'
Setting.host_name = '127.0.0.1'
Setting.notified_events = []

admin = User.find_by_login('admin')
admin.password = admin.password_confirmation = 'admin:casehook-2026'
admin.must_change_passwd = false
admin.save!
Token.where(user_id: admin.id, action: 'api').delete_all
t = Token.create!(user: admin, action: 'api')
t.update_column(:value, 'ca5e000000000000000000000000000000000001')

tracker = Tracker.sorted.first
project = Project.new(name: 'Security cases', is_public: true)
project.identifier = 'cases'
project.enabled_module_names = %w[issue_tracking]
project.trackers = [tracker]
project.save!

user = User.new(firstname: 'Case', lastname: 'Hook', mail: 'casehook@example.test', language: 'en')
user.login = 'casehook'
user.password = user.password_confirmation = 'case:hook-2026'
user.mail_notification = 'none'
user.save!
role = Role.givable.sorted.first
Member.create!(project: project, principal: user, roles: [role])

field = lambda do |name, attrs|
  f = IssueCustomField.new(attrs.merge(name: name, is_for_all: true, visible: true, searchable: false))
  f.trackers = [tracker]
  f.save!
  f
end
severity = field.call('Severity', field_format: 'list', possible_values: %w[low medium high critical])
tags = field.call('Tags', field_format: 'list', multiple: true, possible_values: %w[phishing malware casehook C++ naïve])
case_id = field.call('Case ID', field_format: 'string', is_filter: true) # or a search by it would find every issue
raise 'unexpected ids' unless [severity, tags, case_id].map(&:id) == [1, 2, 3] && tracker.id == 1
puts "project #{project.identifier}, tracker #{tracker.id} #{tracker.name}, role #{role.name}"
